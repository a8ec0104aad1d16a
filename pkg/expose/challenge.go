package expose

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// challengePath is where a certificate authority asks whether the name is ours (RFC 8555, section 8.3). What is there is
// public by its nature.
const challengePath = "/.well-known/acme-challenge/"

// letChallengeIn returns the changes that let the authority's question past the sign-in.
func (t Target) letChallengeIn() ([]cluster.Change, error) {
	var changes []cluster.Change
	for _, gate := range t.tls.gates {
		change := cluster.Edit(gate, func(o *unstructured.Unstructured) {
			if openPath(o, challengePath+"*") {
				r := readRecord(o)
				r.Path = challengePath + "*"
				writeRecord(o, r)
			}
		})
		if cluster.Diff(change.Before, change.After) != "" {
			changes = append(changes, change)
		}
	}
	if t.Authentication.By != "authservice" {
		return changes, nil
	}
	for _, m := range t.tls.settings {
		skipped, has, _ := unstructured.NestedString(m.Object, "data", skipKey)
		if !has {
			continue
		}
		change := cluster.Edit(m, func(o *unstructured.Unstructured) {
			r := readRecord(o)
			r.Path = challengePath
			_ = unstructured.SetNestedField(o.Object, skipped+","+challengePath, "data", skipKey)
			writeRecord(o, r)
		})
		if slices.Contains(strings.Split(skipped, ","), challengePath) {
			return append(changes, t.reread(m)...), nil
		}
		return append(append(changes, change), t.reread(change.After)...), nil
	}
	return nil, &cluster.Problem{What: "Let's Encrypt cannot be answered here: this release's authservice asks everybody to sign in, and has no list of exceptions",
		Next: "Use a certificate that you have, with --tls-secret NAME, or one of the dashboard's own, with --tls self-signed"}
}

// openPath lets a path past the rules of an AuthorizationPolicy that asks about every other path, and tells whether it had to.
func openPath(policy *unstructured.Unstructured, path string) bool {
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

// closePath takes openPath back.
func closePath(policy *unstructured.Unstructured, path string) {
	eachOperation(policy, func(operation map[string]any) {
		paths, has, _ := unstructured.NestedStringSlice(operation, "notPaths")
		if has {
			_ = unstructured.SetNestedStringSlice(operation, slices.DeleteFunc(paths, func(p string) bool { return p == path }), "notPaths")
		}
	})
}

// eachOperation visits the operations of a policy's rules, which it may change.
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
