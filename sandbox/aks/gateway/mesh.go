package gateway

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

// Meshed reports whether a pod has Istio's proxy, as a container or as a native
// sidecar.
func Meshed(pod *corev1.Pod) bool {
	isProxy := func(c corev1.Container) bool { return c.Name == "istio-proxy" }
	return slices.ContainsFunc(pod.Spec.Containers, isProxy) || slices.ContainsFunc(pod.Spec.InitContainers, isProxy)
}

// tlsMode returns the TLS mode that DestinationRules set for clients of this
// Service, "" if there is none.
func tlsMode(rules []unstructured.Unstructured, to host) string {
	mode := ""
	for _, rule := range rules {
		name, _, _ := unstructured.NestedString(rule.Object, "spec", "host")
		if !covers(name, rule.GetNamespace(), to) {
			continue
		}
		value, ok, _ := unstructured.NestedString(rule.Object, "spec", "trafficPolicy", "tls", "mode")
		// A rule for the exact host takes precedence over one for *.local.
		if ok && (mode == "" || !strings.Contains(name, "*")) {
			mode = value
		}
	}
	return mode
}

func covers(name, namespace string, to host) bool {
	if suffix, ok := strings.CutPrefix(name, "*"); ok {
		return strings.HasSuffix(to.name+"."+to.namespace+".svc.cluster.local", suffix)
	}
	return parseHost(name, namespace) == to
}

// wantsPrincipal reports whether a policy admits only clients with a mesh
// identity, which requires mutual TLS.
func wantsPrincipal(policies []unstructured.Unstructured, pod *corev1.Pod) bool {
	for _, policy := range policies {
		if selects(policy, pod.Labels) && strings.Contains(string(mustJSON(policy.Object["spec"])), `"principals"`) {
			return true
		}
	}
	return false
}

// WantsPrincipal reports whether policies admit only members of the mesh to a pod.
func (c Cluster) WantsPrincipal(ctx context.Context, pod *corev1.Pod) bool {
	return wantsPrincipal(c.list(ctx, authorizationPolicies, pod.Namespace), pod)
}

// selects reports whether a policy applies to a pod: without a selector it applies to the whole namespace.
func selects(policy unstructured.Unstructured, pod map[string]string) bool {
	match, _, _ := unstructured.NestedStringMap(policy.Object, "spec", "selector", "matchLabels")
	selector, err := metav1.LabelSelectorAsSelector(&metav1.LabelSelector{MatchLabels: match})
	return err == nil && selector.Matches(labels.Set(pod))
}
