package gateway

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

// Meshed says whether a pod has Istio's proxy, as a container or as a native
// sidecar.
func Meshed(pod *corev1.Pod) bool {
	isProxy := func(c corev1.Container) bool { return c.Name == "istio-proxy" }
	return slices.ContainsFunc(pod.Spec.Containers, isProxy) || slices.ContainsFunc(pod.Spec.InitContainers, isProxy)
}

// tlsMode is what the DestinationRules ask of a client of this Service: "" when
// none says anything.
func tlsMode(rules []unstructured.Unstructured, to host) string {
	mode := ""
	for _, rule := range rules {
		name, _, _ := unstructured.NestedString(rule.Object, "spec", "host")
		if !covers(name, rule.GetNamespace(), to) {
			continue
		}
		said, ok, _ := unstructured.NestedString(rule.Object, "spec", "trafficPolicy", "tls", "mode")
		// A rule for the very host goes before one for *.local.
		if ok && (mode == "" || !strings.Contains(name, "*")) {
			mode = said
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

// wantsPrincipal says whether a policy admits only clients that the mesh has
// identified, which takes mutual TLS.
func wantsPrincipal(policies []unstructured.Unstructured, pod *corev1.Pod) bool {
	for _, policy := range policies {
		if selects(policy, pod.Labels) && strings.Contains(string(mustJSON(policy.Object["spec"])), `"principals"`) {
			return true
		}
	}
	return false
}

// selects: a policy without a selector is for every pod of its namespace.
func selects(policy unstructured.Unstructured, pod map[string]string) bool {
	match, _, _ := unstructured.NestedStringMap(policy.Object, "spec", "selector", "matchLabels")
	selector, err := metav1.LabelSelectorAsSelector(&metav1.LabelSelector{MatchLabels: match})
	return err == nil && selector.Matches(labels.Set(pod))
}
