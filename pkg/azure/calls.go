package azure

import (
	"regexp"
	"slices"
	"strings"
)

// The versions of Azure's APIs. That of AKS is the SDK's own.
const (
	versionAKS           = "2026-04-01"
	versionGroups        = "2021-04-01"
	versionRoles         = "2022-04-01"
	versionSubscriptions = "2022-12-01"
	versionSKUs          = "2021-07-01"
	versionUsage         = "2024-07-01"
	versionNetworks      = "2024-05-01"
)

// A Call is a request that this program makes, in the form in which a role permits it.
type Call struct {
	Method  string
	Path    string   // with {} for each name
	Actions []string // of a role; a subscription's own reading needs none
	Why     string
}

const (
	pathSubscription = "/subscriptions/{}"
	pathGroup        = pathSubscription + "/resourceGroups/{}"
	pathCluster      = pathGroup + "/providers/Microsoft.ContainerService/managedClusters/{}"
	aksActions       = "Microsoft.ContainerService/managedClusters/"
)

// Calls are all of them. docs/azure-role.json and the table of docs/azure.md are made from this list, and the tests' server
// refuses whatever is not in it.
var Calls = []Call{
	{"GET", "/subscriptions", nil, "which subscription, if none is named"},
	{"GET", pathSubscription, []string{"Microsoft.Resources/subscriptions/read"}, "is the subscription enabled"},
	{"GET", pathSubscription + "/providers/{}", []string{"Microsoft.Resources/subscriptions/providers/read"}, "is the resource provider registered"},
	{"GET", pathSubscription + "/providers/Microsoft.ContainerService/locations/{}/kubernetesVersions", []string{"Microsoft.ContainerService/locations/kubernetesversions/read"}, "which Kubernetes versions are offered"},
	{"GET", pathSubscription + "/providers/Microsoft.Compute/skus", []string{"Microsoft.Compute/skus/read"}, "is the VM size offered in the region and its zones"},
	{"GET", pathSubscription + "/providers/Microsoft.Compute/locations/{}/usages", []string{"Microsoft.Compute/locations/usages/read"}, "does the vCPU quota suffice"},
	{"GET", pathSubscription + "/providers/Microsoft.Network/locations/{}/usages", []string{"Microsoft.Network/locations/usages/read"}, "does the quota of public IP addresses suffice"},
	{"GET", pathSubscription + "/providers/Microsoft.Authorization/permissions", []string{"Microsoft.Authorization/permissions/read"}, "may you assign roles"},
	{"GET", pathGroup + "/providers/Microsoft.Authorization/permissions", []string{"Microsoft.Authorization/permissions/read"}, "may you assign roles in the resource group"},
	{"GET", pathGroup + "/providers/Microsoft.Network/virtualNetworks/{}/subnets/{}", []string{"Microsoft.Network/virtualNetworks/subnets/read"}, "does the subnet of --subnet have room"},
	{"GET", pathGroup, []string{"Microsoft.Resources/subscriptions/resourceGroups/read"}, "does the resource group exist, and who created it"},
	{"PUT", pathGroup, []string{"Microsoft.Resources/subscriptions/resourceGroups/write"}, "create the resource group"},
	{"DELETE", pathGroup, []string{"Microsoft.Resources/subscriptions/resourceGroups/delete"}, "delete a resource group that this program created and that is empty"},
	{"GET", pathGroup + "/resources", []string{"Microsoft.Resources/subscriptions/resourceGroups/resources/read"}, "what else is in the resource group, before it is deleted"},
	{"GET", pathSubscription + "/providers/Microsoft.ContainerService/managedClusters", []string{aksActions + "read"}, "list the clusters"},
	{"GET", pathGroup + "/providers/Microsoft.ContainerService/managedClusters", []string{aksActions + "read"}, "list the clusters of a resource group"},
	{"GET", pathCluster, []string{aksActions + "read"}, "is the name free, and how far is the creation"},
	{"PUT", pathCluster, []string{aksActions + "write", "Microsoft.Network/virtualNetworks/subnets/join/action"}, "create the cluster, or complete one whose creation failed; the second action is for --subnet"},
	{"DELETE", pathCluster, []string{aksActions + "delete"}, "delete the cluster"},
	{"PUT", pathCluster + "/maintenanceConfigurations/{}", []string{aksActions + "maintenanceConfigurations/write"}, "when node images may be replaced"},
	{"POST", pathCluster + "/listClusterUserCredential", []string{aksActions + "listClusterUserCredential/action"}, "the kubeconfig entry"},
	{"POST", pathCluster + "/listClusterAdminCredential", []string{aksActions + "listClusterAdminCredential/action"}, "the kubeconfig entry of --admin"},
	{"POST", pathCluster + "/start", []string{aksActions + "start/action"}, "start the cluster"},
	{"POST", pathCluster + "/stop", []string{aksActions + "stop/action"}, "stop the cluster"},
	{"GET", pathSubscription + "/providers/Microsoft.ContainerService/locations/{}/operations/{}", []string{"Microsoft.ContainerService/locations/operations/read"}, "how far is an operation"},
	{"GET", pathSubscription + "/providers/Microsoft.ContainerService/locations/{}/operationresults/{}", []string{"Microsoft.ContainerService/locations/operationresults/read"}, "the result of an operation"},
	{"GET", pathSubscription + "/operationresults/{}", []string{"Microsoft.Resources/subscriptions/operationresults/read"}, "how far is the deletion of the resource group"},
	{"PUT", pathCluster + "/providers/Microsoft.Authorization/roleAssignments/{}", []string{"Microsoft.Authorization/roleAssignments/write"}, "you administer the cluster that you created"},
	{"PUT", pathGroup + "/providers/Microsoft.Network/virtualNetworks/{}/subnets/{}/providers/Microsoft.Authorization/roleAssignments/{}", []string{"Microsoft.Authorization/roleAssignments/write"}, "the cluster may use the subnet of --subnet"},
}

// Matches reports whether a request is this call.
func (c Call) Matches(method, path string) bool {
	form := strings.ReplaceAll(regexp.QuoteMeta(c.Path), `\{\}`, `[^/]+`)
	return method == c.Method && regexp.MustCompile(`(?i)^`+form+`$`).MatchString(path)
}

// A RoleDefinition is a role as "az role definition create" takes it.
type RoleDefinition struct {
	Name, Description   string
	IsCustom            bool
	Actions, NotActions []string
	DataActions         []string
	NotDataActions      []string
	AssignableScopes    []string
}

// LeastRole returns the role that permits every call, and nothing else.
func LeastRole() RoleDefinition {
	var actions []string
	for _, call := range Calls {
		actions = append(actions, call.Actions...)
	}
	slices.Sort(actions)
	return RoleDefinition{
		Name: "Kubeflow Cluster Creator", Description: "What kubectl kubeflow cluster needs. Writing role assignments lets its holder give itself any role in the scope.", IsCustom: true,
		Actions: slices.Compact(actions), NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{},
		AssignableScopes: []string{"/subscriptions/SUBSCRIPTION"},
	}
}
