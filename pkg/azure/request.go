package azure

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"
)

// A Request is all that "cluster create" asks Azure for, in order. Making one calls nothing.
type Request struct {
	Options     Options
	Group       Group // is created if it does not exist
	Cluster     aks.ManagedCluster
	Maintenance aks.MaintenanceConfiguration
}

// maintenanceName is the configuration that AKS reads for node image upgrades; its name is fixed.
const maintenanceName = "aksManagedNodeOSUpgradeSchedule"

// The built-in roles that are assigned.
const (
	clusterAdmin       = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b" // Azure Kubernetes Service RBAC Cluster Admin
	networkContributor = "4d97b98b-1d4f-4787-a291-c67834d212e7" // Network Contributor
)

// NewRequest decides what to ask Azure for. The options are valid and have a Kubernetes version.
func NewRequest(o Options) Request {
	services, _ := o.services() // is valid
	properties := &aks.ManagedClusterProperties{
		KubernetesVersion: to.Ptr(o.KubernetesVersion),
		DNSPrefix:         to.Ptr(dnsPrefix(o)),
		EnableRBAC:        to.Ptr(true),
		AADProfile:        &aks.ManagedClusterAADProfile{Managed: to.Ptr(true), EnableAzureRBAC: to.Ptr(true)},
		AgentPoolProfiles: pools(o),
		NetworkProfile: &aks.NetworkProfile{
			NetworkPlugin:     to.Ptr(aks.NetworkPluginAzure),
			NetworkPluginMode: to.Ptr(aks.NetworkPluginModeOverlay),
			NetworkPolicy:     to.Ptr(aks.NetworkPolicyCilium), // Kubeflow brings NetworkPolicies: without an engine nothing enforces them
			NetworkDataplane:  to.Ptr(aks.NetworkDataplaneCilium),
			PodCidr:           to.Ptr(podCIDR),
			ServiceCidr:       to.Ptr(services.String()),
			DNSServiceIP:      to.Ptr(dnsAddress(services).String()),
			LoadBalancerSKU:   to.Ptr(aks.LoadBalancerSKUStandard),
			OutboundType:      to.Ptr(aks.OutboundTypeLoadBalancer),
		},
		OidcIssuerProfile: &aks.ManagedClusterOIDCIssuerProfile{Enabled: to.Ptr(true)},
		SecurityProfile: &aks.ManagedClusterSecurityProfile{
			WorkloadIdentity: &aks.ManagedClusterSecurityProfileWorkloadIdentity{Enabled: to.Ptr(true)},
		},
		AutoUpgradeProfile: &aks.ManagedClusterAutoUpgradeProfile{
			NodeOSUpgradeChannel: to.Ptr(aks.NodeOSUpgradeChannelNodeImage),
			UpgradeChannel:       to.Ptr(aks.UpgradeChannelNone), // Kubeflow decides which Kubernetes versions are possible
		},
	}
	if o.Private {
		properties.APIServerAccessProfile = &aks.ManagedClusterAPIServerAccessProfile{EnablePrivateCluster: to.Ptr(true), PrivateDNSZone: to.Ptr("system")}
	}
	return Request{
		Options: o,
		Group:   Group{Location: o.Location, Tags: groupTags(o)},
		Cluster: aks.ManagedCluster{
			Location:   to.Ptr(o.Location),
			Identity:   &aks.ManagedClusterIdentity{Type: to.Ptr(aks.ResourceIdentityTypeSystemAssigned)},
			SKU:        &aks.ManagedClusterSKU{Name: to.Ptr(aks.ManagedClusterSKUNameBase), Tier: to.Ptr(aks.ManagedClusterSKUTierFree)},
			Tags:       clusterTags(o),
			Properties: properties,
		},
		Maintenance: maintenance(),
	}
}

// maintenance is a window of 8 hours each week, in which node images are replaced.
func maintenance() aks.MaintenanceConfiguration {
	return aks.MaintenanceConfiguration{Properties: &aks.MaintenanceConfigurationProperties{MaintenanceWindow: &aks.MaintenanceWindow{
		Schedule:      &aks.Schedule{Weekly: &aks.WeeklySchedule{DayOfWeek: to.Ptr(aks.WeekDaySunday), IntervalWeeks: to.Ptr[int32](1)}},
		DurationHours: to.Ptr[int32](8), StartTime: to.Ptr("00:00"), UTCOffset: to.Ptr("+00:00"),
	}}}
}

func groupTags(o Options) map[string]string {
	tags := map[string]string{CreatedBy: Program}
	for key, value := range o.Tags {
		tags[key] = value
	}
	return tags
}

func clusterTags(o Options) map[string]*string {
	tags := map[string]*string{optionsTag: to.Ptr(o.digest())}
	for key, value := range groupTags(o) {
		tags[key] = to.Ptr(value)
	}
	return tags
}

// dnsAddress is the tenth address of the range for Services, as az chooses it.
func dnsAddress(services netip.Prefix) netip.Addr {
	address := services.Addr()
	for range 10 {
		address = address.Next()
	}
	return address
}

var (
	notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9-]`)
	startsWithDigit = regexp.MustCompile(`^[^A-Za-z]`)
)

// dnsPrefix is the beginning of the API server's host name, as az makes it.
func dnsPrefix(o Options) string {
	name := notAlphanumeric.ReplaceAllString(o.Name, "")
	name = name[:min(10, len(name))]
	if startsWithDigit.MatchString(name) || name == "" {
		name = "a" + name
	}
	group := notAlphanumeric.ReplaceAllString(o.ResourceGroup, "")
	return fmt.Sprintf("%s-%s-%s", name, group[:min(16, len(group))], o.Subscription[:min(6, len(o.Subscription))])
}

// ClusterID returns the resource ID of the cluster.
func (o Options) ClusterID() string { return clusterID(o.Subscription, o.ResourceGroup, o.Name) }

func clusterID(subscription, group, name string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.ContainerService/managedClusters/%s", subscription, group, name)
}

// A RoleAssignment gives a principal a role in a scope.
type RoleAssignment struct {
	Scope string
	Body  RoleAssignmentBody
	Why   string
}

// A RoleAssignmentBody is what Azure is sent.
type RoleAssignmentBody struct {
	Properties RoleAssignmentProperties `json:"properties"`
}

// RoleAssignmentProperties say who gets which role.
type RoleAssignmentProperties struct {
	PrincipalID      string `json:"principalId"`
	PrincipalType    string `json:"principalType,omitempty"`
	RoleDefinitionID string `json:"roleDefinitionId"`
}

// Name is the same for the same principal, role and scope, so that a second run assigns nothing twice.
func (r RoleAssignment) Name() string {
	sum := sha256.Sum256([]byte(strings.ToLower(r.Scope + r.Body.Properties.PrincipalID + r.Body.Properties.RoleDefinitionID)))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // a UUID of version 8
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// Roles returns the assignments: who creates the cluster administers it, and the cluster may use a subnet of others.
func (r Request) Roles(caller, identity string) []RoleAssignment {
	o := r.Options
	if o.NoRoleAssignment {
		return nil
	}
	body := func(principal, kind, role string) RoleAssignmentBody {
		return RoleAssignmentBody{RoleAssignmentProperties{PrincipalID: principal, PrincipalType: kind,
			RoleDefinitionID: "/subscriptions/" + o.Subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + role}}
	}
	roles := []RoleAssignment{{o.ClusterID(), body(caller, "", clusterAdmin), "Azure decides who may do what in the cluster, and without this role not even its creator may"}}
	if o.Subnet != "" {
		roles = append(roles, RoleAssignment{o.Subnet, body(identity, "ServicePrincipal", networkContributor), "the cluster creates load balancers in the subnet"})
	}
	return roles
}
