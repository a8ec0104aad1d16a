package loadbalancer

import (
	"cmp"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
)

// FailureAnnotation makes one Service fail with an Azure error code.
const FailureAnnotation = "sandbox/load-balancer-failure"

// A requested IP address is in one of two resource groups: in this one if its last octet is above 127, otherwise in the
// nodes' resource group.
const otherGroup = "network"

const (
	nodesGroup      = "MC_kubeflow_sandbox_westeurope"
	groupAnnotation = "service.beta.kubernetes.io/azure-load-balancer-resource-group"
	subscription    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
)

// failure returns Azure's error for a load balancer, "" if there is none.
func (b *Balancer) failure(service *corev1.Service) string {
	if code := cmp.Or(service.Annotations[FailureAnnotation], b.Failure); code != "" {
		return failureText(code, service)
	}
	address, err := netip.ParseAddr(service.Spec.LoadBalancerIP)
	if err != nil || internal(service) {
		return ""
	}
	group, in := cmp.Or(service.Annotations[groupAnnotation], nodesGroup), nodesGroup
	if address.As4()[3] > 127 {
		in = otherGroup
	}
	if group != in {
		return fmt.Sprintf("user supplied IP Address %s was not found in resource group %s", address, group)
	}
	return ""
}

// failureText returns Azure's error message with the names of this cluster.
func failureText(code string, service *corev1.Service) string {
	answer := func(status int, message string) string {
		return fmt.Sprintf(`Retriable: false, RetryAfter: 0s, HTTPStatusCode: %d, RawError: {"error":{"code":%q,"message":%q}}`, status, code, message)
	}
	switch code {
	case "AuthorizationFailed":
		return answer(403, "The client '00000000-0000-0000-0000-000000000001' with object id '00000000-0000-0000-0000-000000000002' does not have authorization to perform action 'Microsoft.Network/publicIPAddresses/write' over scope '"+subscription+nodesGroup+"'.")
	case "LinkedAuthorizationFailed":
		return answer(403, "The client '00000000-0000-0000-0000-000000000001' with object id '00000000-0000-0000-0000-000000000002' does not have authorization to perform action 'Microsoft.Network/virtualNetworks/subnets/join/action' over scope '"+subscription+otherGroup+"/providers/Microsoft.Network/virtualNetworks/ours/subnets/nodes'.")
	case "PublicIPCountLimitReached":
		return answer(400, "Cannot create more than 10 public IP addresses for this subscription in this region.")
	case "RequestDisallowedByPolicy":
		return answer(403, "Resource 'kubernetes-1' was disallowed by policy.")
	case "DnsRecordInUse":
		return answer(400, "DNS record "+service.Annotations["service.beta.kubernetes.io/azure-dns-label-name"]+".westeurope.cloudapp.azure.com is already used by another public IP.")
	case "SubnetIsFull":
		return answer(400, "Subnet nodes does not have enough capacity for 1 IP addresses.")
	}
	return fmt.Sprintf("%s: Service %s/%s", code, service.Namespace, service.Name)
}
