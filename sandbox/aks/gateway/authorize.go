package gateway

import (
	"net/http"
	"slices"
	"strings"

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
	principal := "cluster.local/ns/" + gateway.Namespace + "/sa/" + gateway.Spec.ServiceAccountName
	for _, policy := range policies {
		action, _, _ := unstructured.NestedString(policy.Object, "spec", "action")
		if action != "" && action != "ALLOW" || !selects(policy, pod.Labels) {
			continue
		}
		rules, _, _ := unstructured.NestedSlice(policy.Object, "spec", "rules")
		for _, item := range rules {
			if rule, ok := item.(map[string]any); ok && ruleAdmits(rule, gateway.Namespace, principal, r) {
				return true
			}
		}
	}
	return false
}

func ruleAdmits(rule map[string]any, namespace, principal string, r *http.Request) bool {
	sources := inner(rule, "from", "source")
	if len(sources) > 0 && !slices.ContainsFunc(sources, func(s map[string]any) bool {
		return listed(s, "principals", principal) && listed(s, "namespaces", namespace)
	}) {
		return false
	}
	operations := inner(rule, "to", "operation")
	if len(operations) > 0 && !slices.ContainsFunc(operations, func(o map[string]any) bool {
		return listed(o, "methods", r.Method) && listed(o, "paths", r.URL.Path)
	}) {
		return false
	}
	conditions, _, _ := unstructured.NestedSlice(rule, "when")
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		key, _ := condition["key"].(string)
		value := namespace
		if header, ok := strings.CutPrefix(key, "request.headers["); ok {
			value = r.Header.Get(strings.TrimSuffix(header, "]"))
		} else if key != "source.namespace" {
			return false
		}
		if value == "" || !listed(condition, "values", value) {
			return false
		}
	}
	return true
}

func inner(rule map[string]any, list, field string) []map[string]any {
	items, _, _ := unstructured.NestedSlice(rule, list)
	var all []map[string]any
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			if of, ok := m[field].(map[string]any); ok {
				all = append(all, of)
			}
		}
	}
	return all
}

// listed reports whether a list is absent or matches a value, with Istio's * at either end.
func listed(in map[string]any, field, value string) bool {
	values, ok, _ := unstructured.NestedStringSlice(in, field)
	if !ok {
		return true
	}
	return slices.ContainsFunc(values, func(v string) bool {
		switch {
		case strings.HasPrefix(v, "*"):
			return strings.HasSuffix(value, v[1:])
		case strings.HasSuffix(v, "*"):
			return strings.HasPrefix(value, strings.TrimSuffix(v, "*"))
		}
		return v == value
	})
}
