package cluster

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// azureErrors are recognized by a part of their message. ${scope} and the like stand for what Azure names in it.
var azureErrors = []struct {
	words []string
	problem.Error
}{
	{[]string{"was not found in resource group"}, problem.Error{
		What: "the address that was asked for is not in resource group ${group}, where AKS looks for it",
		Next: "Name the group it is in, and let the cluster's identity use it", Command: "kubectl kubeflow expose --lb --ip ${address} --ip-resource-group GROUP; az network public-ip list -o table"}},
	{[]string{"PublicIPCountLimitReached", "PublicIPAddressCountLimit"}, problem.Error{
		What: "the subscription has no public address left in this region",
		Next: "Free one or ask for a higher quota, or take an internal address with --internal", Command: "az network public-ip list -o table"}},
	{[]string{"AuthorizationFailed", "does not have authorization", "AuthorizationPermissionMismatch"}, problem.Error{
		What: "the cluster's identity may not make or use the address: Azure answers AuthorizationFailed",
		Next: "Give it the role", Command: `az role assignment create --assignee-object-id ${client} --role "Network Contributor" --scope ${scope}`}},
	{[]string{"RequestDisallowedByPolicy"}, problem.Error{
		What: "a policy of the subscription forbids this kind of address",
		Next: "Ask for an exemption, or take an internal address", Command: "kubectl kubeflow expose --lb --internal"}},
	{[]string{"DnsRecordInUse", "DNS record"}, problem.Error{
		What: "another public address of this region has the DNS label already",
		Next: "Choose another", Command: "kubectl kubeflow expose --lb --dns-label NAME"}},
	{[]string{"PublicIPAddressInUse", "PublicIPReferencedByMultipleIPConfigs", "PrivateIPAddressInUse", "is already in use", "already allocated"}, problem.Error{
		What: "the address that was asked for is in use by something else",
		Next: "See by what, or let Azure choose with --ip \"\"", Command: "az network public-ip list -o table"}},
	{[]string{"DifferentSkuLoadBalancersAndPublicIPAddressNotAllowed", "SkuLoadBalancer"}, problem.Error{
		What: "the address has another SKU than the cluster's load balancer",
		Next: "Make one of the same SKU", Command: "az network public-ip create --sku Standard --resource-group GROUP --name NAME"}},
	{[]string{"SubnetIsFull", "InsufficientSubnetSize", "NoAvailableIP"}, problem.Error{
		What: "the cluster's subnet has no address left",
		Next: "Make the subnet larger, or free addresses in it", Command: "az network vnet subnet list --resource-group GROUP --vnet-name NAME -o table"}},
	{[]string{"SubnetNotFound", "InvalidSubnet"}, problem.Error{
		What: "the subnet for the address is not there",
		Next: "See the Service's azure-load-balancer-internal-subnet annotation", Command: "kubectl get service -A -o yaml"}},
	{[]string{"QuotaExceeded", "LimitReached"}, problem.Error{
		What: "a quota of the subscription is used up",
		Next: "See which", Command: "az network list-usages --location REGION -o table"}},
	{[]string{"NotFound"}, problem.Error{
		What: "something that the Service names does not exist where Azure looks for it",
		Next: "See the Service's annotations", Command: "kubectl describe service -A"}},
	{[]string{"TooManyRequests", "OperationNotAllowed: throttled"}, problem.Error{
		What: "Azure asks to slow down; it is tried again by itself"}},
}

// azureNames find what Azure names in its answers.
var azureNames = map[string]*regexp.Regexp{
	"${scope}":   regexp.MustCompile(`over scope '([^']+)'`),
	"${client}":  regexp.MustCompile(`object id '([^']+)'`),
	"${group}":   regexp.MustCompile(`resource group ([\w.()-]+)`),
	"${address}": regexp.MustCompile(`IP Address ([\d.:a-fA-F]+)`),
}

var azurePlaceholders = map[string]string{"${scope}": "RESOURCE-ID", "${client}": "CLUSTER-IDENTITY", "${group}": "GROUP", "${address}": "ADDRESS"}

// ExplainAzure explains why Azure does not give a Service its address, and what to do about it; false for an unknown message.
func ExplainAzure(message string) (problem.Error, bool) {
	for _, r := range azureErrors {
		if !slices.ContainsFunc(r.words, func(word string) bool { return strings.Contains(message, word) }) {
			continue
		}
		d := r.Error
		for name, pattern := range azureNames {
			value := azurePlaceholders[name]
			if match := pattern.FindStringSubmatch(message); match != nil {
				value = match[1]
			}
			d.What, d.Command = strings.ReplaceAll(d.What, name, value), strings.ReplaceAll(d.Command, name, value)
		}
		return d, true
	}
	return problem.Error{}, false
}
