package loadbalancer

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// failureText is what Azure answers when it cannot make the load balancer: the
// codes are Azure's, the names are those of this cluster.
func failureText(code string, service *corev1.Service) string {
	switch code {
	case "AuthorizationFailed":
		return `Retriable: false, RetryAfter: 0s, HTTPStatusCode: 403, RawError: {"error":{"code":"AuthorizationFailed","message":"The client '00000000-0000-0000-0000-000000000001' does not have authorization to perform action 'Microsoft.Network/publicIPAddresses/write' over scope '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/MC_kubeflow_sandbox_westeurope'."}}`
	case "PublicIPCountLimitReached":
		return `Retriable: false, RetryAfter: 0s, HTTPStatusCode: 400, RawError: {"error":{"code":"PublicIPCountLimitReached","message":"Cannot create more than 10 public IP addresses for this subscription in this region."}}`
	}
	return fmt.Sprintf("%s: Service %s/%s", code, service.Namespace, service.Name)
}
