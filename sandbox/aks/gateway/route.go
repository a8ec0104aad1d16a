package gateway

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A host is a Service, from its mesh host name.
type host struct{ namespace, name string }

// parseHost parses a mesh host name: ml-pipeline, ml-pipeline.kubeflow,
// ml-pipeline.kubeflow.svc.cluster.local.
func parseHost(text, namespace string) host {
	parts := strings.Split(text, ".")
	if len(parts) == 1 {
		return host{namespace, parts[0]}
	}
	return host{parts[1], parts[0]}
}

// route returns the Service for a path: the longest matching prefix among the
// VirtualServices of the Kubeflow gateway.
func route(services []unstructured.Unstructured, path string) (host, bool) {
	var found host
	longest := -1
	for _, vs := range services {
		if !bound(vs) {
			continue
		}
		https, _, _ := unstructured.NestedSlice(vs.Object, "spec", "http")
		for _, item := range https {
			rule, ok := item.(map[string]any)
			if !ok {
				continue
			}
			if n := match(rule, path); n > longest {
				if to, ok := destination(rule, vs.GetNamespace()); ok {
					longest, found = n, to
				}
			}
		}
	}
	return found, longest >= 0
}

func bound(vs unstructured.Unstructured) bool {
	names, _, _ := unstructured.NestedStringSlice(vs.Object, "spec", "gateways")
	for _, name := range names {
		if name == "kubeflow/kubeflow-gateway" || name == "kubeflow-gateway" && vs.GetNamespace() == "kubeflow" ||
			strings.HasPrefix(name, "kubeflow-gateway.kubeflow") {
			return true
		}
	}
	return false
}

// match returns the length of the path that a rule matches, -1 if it does not
// match. A rule without conditions matches everything.
func match(rule map[string]any, path string) int {
	matches, _, _ := unstructured.NestedSlice(rule, "match")
	if len(matches) == 0 {
		return 0
	}
	best := -1
	for _, item := range matches {
		m, ok := item.(map[string]any)
		if !ok {
			continue
		}
		if prefix, ok, _ := unstructured.NestedString(m, "uri", "prefix"); ok && strings.HasPrefix(path, prefix) {
			best = max(best, len(prefix))
		}
		if exact, ok, _ := unstructured.NestedString(m, "uri", "exact"); ok && path == exact {
			best = max(best, len(exact)+1)
		}
	}
	return best
}

func destination(rule map[string]any, namespace string) (host, bool) {
	routes, _, _ := unstructured.NestedSlice(rule, "route")
	if len(routes) == 0 {
		return host{}, false
	}
	first, _ := routes[0].(map[string]any)
	name, ok, _ := unstructured.NestedString(first, "destination", "host")
	return parseHost(name, namespace), ok
}
