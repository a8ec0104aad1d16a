package cluster

import (
	"regexp"
	"slices"
	"strings"
)

// A Refusal is why Azure does not give a Service its address, and what to do about it.
type Refusal struct {
	Why     string // as a sentence without its full stop
	Advice  string // likewise; "" when waiting is right
	Command string // what to type for it; "" when there is nothing to type
}

// refusals are known by a part of Azure's words. ${scope} and the like stand for what Azure names in its answer.
var refusals = []struct {
	words []string
	Refusal
}{
	{[]string{"was not found in resource group"}, Refusal{
		"the address that was asked for is not in resource group ${group}, where AKS looks for it",
		"Name the group it is in, and let the cluster's identity use it", "kubectl kubeflow expose --lb --ip ${address} --ip-resource-group GROUP; az network public-ip list -o table"}},
	{[]string{"PublicIPCountLimitReached", "PublicIPAddressCountLimit"}, Refusal{
		"the subscription has no public address left in this region",
		"Free one or ask for a higher quota, or take an internal address with --internal", "az network public-ip list -o table"}},
	{[]string{"AuthorizationFailed", "does not have authorization", "AuthorizationPermissionMismatch"}, Refusal{
		"the cluster's identity may not make or use the address: Azure answers AuthorizationFailed",
		"Give it the role", `az role assignment create --assignee-object-id ${client} --role "Network Contributor" --scope ${scope}`}},
	{[]string{"RequestDisallowedByPolicy"}, Refusal{
		"a policy of the subscription forbids this kind of address",
		"Ask for an exemption, or take an internal address", "kubectl kubeflow expose --lb --internal"}},
	{[]string{"DnsRecordInUse", "DNS record"}, Refusal{
		"another public address of this region has the DNS label already", "Choose another", "kubectl kubeflow expose --lb --dns-label NAME"}},
	{[]string{"PublicIPAddressInUse", "PublicIPReferencedByMultipleIPConfigs", "PrivateIPAddressInUse", "is already in use", "already allocated"}, Refusal{
		"the address that was asked for is in use by something else", "See by what, or let Azure choose with --ip \"\"", "az network public-ip list -o table"}},
	{[]string{"DifferentSkuLoadBalancersAndPublicIPAddressNotAllowed", "SkuLoadBalancer"}, Refusal{
		"the address has another SKU than the cluster's load balancer", "Make one of the same SKU", "az network public-ip create --sku Standard --resource-group GROUP --name NAME"}},
	{[]string{"SubnetIsFull", "InsufficientSubnetSize", "NoAvailableIP"}, Refusal{
		"the cluster's subnet has no address left", "Make the subnet larger, or free addresses in it", "az network vnet subnet list --resource-group GROUP --vnet-name NAME -o table"}},
	{[]string{"SubnetNotFound", "InvalidSubnet"}, Refusal{
		"the subnet for the address is not there", "See the Service's azure-load-balancer-internal-subnet annotation", "kubectl get service -A -o yaml"}},
	{[]string{"QuotaExceeded", "LimitReached"}, Refusal{
		"a quota of the subscription is used up", "See which", "az network list-usages --location REGION -o table"}},
	{[]string{"NotFound"}, Refusal{
		"something that the Service names does not exist where Azure looks for it", "See the Service's annotations", "kubectl describe service -A"}},
	{[]string{"TooManyRequests", "OperationNotAllowed: throttled"}, Refusal{
		"Azure asks to slow down; it is tried again by itself", "", ""}},
}

// azureNames find what Azure names in its answers.
var azureNames = map[string]*regexp.Regexp{
	"${scope}":   regexp.MustCompile(`over scope '([^']+)'`),
	"${client}":  regexp.MustCompile(`object id '([^']+)'`),
	"${group}":   regexp.MustCompile(`resource group ([\w.()-]+)`),
	"${address}": regexp.MustCompile(`IP Address ([\d.:a-fA-F]+)`),
}

var azurePlaceholders = map[string]string{"${scope}": "RESOURCE-ID", "${client}": "CLUSTER-IDENTITY", "${group}": "GROUP", "${address}": "ADDRESS"}

// AzureRefused says in plain words what Azure answered; false when the words are not known.
func AzureRefused(message string) (Refusal, bool) {
	for _, r := range refusals {
		if !slices.ContainsFunc(r.words, func(word string) bool { return strings.Contains(message, word) }) {
			continue
		}
		d := r.Refusal
		for name, pattern := range azureNames {
			value := azurePlaceholders[name]
			if match := pattern.FindStringSubmatch(message); match != nil {
				value = match[1]
			}
			d.Why, d.Command = strings.ReplaceAll(d.Why, name, value), strings.ReplaceAll(d.Command, name, value)
		}
		return d, true
	}
	return Refusal{}, false
}
