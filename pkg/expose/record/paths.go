package record

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ExemptPath adds a path to the exceptions of an AuthorizationPolicy, and reports whether the policy changed.
func ExemptPath(policy *unstructured.Unstructured, path string) bool {
	changed := false
	eachOperation(policy, func(operation map[string]any) {
		paths, has, _ := unstructured.NestedStringSlice(operation, "notPaths")
		if has && !slices.Contains(paths, path) {
			_ = unstructured.SetNestedStringSlice(operation, append(paths, path), "notPaths")
			changed = true
		}
	})
	return changed
}

// removePath reverts ExemptPath.
func removePath(policy *unstructured.Unstructured, path string) {
	eachOperation(policy, func(operation map[string]any) {
		paths, has, _ := unstructured.NestedStringSlice(operation, "notPaths")
		if has {
			_ = unstructured.SetNestedStringSlice(operation, slices.DeleteFunc(paths, func(p string) bool { return p == path }), "notPaths")
		}
	})
}

// eachOperation calls visit for the operations of a policy's rules; it may change them.
func eachOperation(policy *unstructured.Unstructured, visit func(operation map[string]any)) {
	spec, _ := policy.Object["spec"].(map[string]any)
	rules, _ := spec["rules"].([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		to, _ := rule["to"].([]any)
		for _, item := range to {
			entry, _ := item.(map[string]any)
			if operation, ok := entry["operation"].(map[string]any); ok {
				visit(operation)
			}
		}
	}
}
