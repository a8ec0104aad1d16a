package gateway

import (
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ownerPolicy is the policy of the profile controller. The sandbox enforces the policies of namespaces that have it.
const ownerPolicy = "ns-owner-access-istio"

// admits reports whether the ALLOW policies of a profile namespace admit a request of this gateway to a pod.
func admits(policies []unstructured.Unstructured, gateway, pod *corev1.Pod, r *http.Request) bool {
	if !Meshed(pod) || !slices.ContainsFunc(policies, func(p unstructured.Unstructured) bool { return p.GetName() == ownerPolicy }) {
		return true
	}
	q := request{
		Request: r, namespace: gateway.Namespace,
		principal: "cluster.local/ns/" + gateway.Namespace + "/sa/" + gateway.Spec.ServiceAccountName,
	}
	return slices.ContainsFunc(policies, func(p unstructured.Unstructured) bool { return does(p, "ALLOW", pod.Labels) && q.meets(p) })
}

// does reports whether a policy has an action and applies to a pod.
func does(policy unstructured.Unstructured, action string, pod map[string]string) bool {
	has, _, _ := unstructured.NestedString(policy.Object, "spec", "action")
	return (has == action || has == "" && action == "ALLOW") && selects(policy, pod)
}

// authorize applies the DENY and ALLOW policies to a request whose token was validated.
func authorize(policies []unstructured.Unstructured, gateway *corev1.Pod, q request) bool {
	allowing, allowed := false, false
	for _, policy := range policies {
		if does(policy, "DENY", gateway.Labels) && q.meets(policy) {
			return false
		}
		if does(policy, "ALLOW", gateway.Labels) {
			allowing, allowed = true, allowed || q.meets(policy)
		}
	}
	return allowed || !allowing
}
