package record

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// FuzzRecord reverts what any text claims that expose has changed: on that object alone, and no more paths than before are exempt from
// authentication.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{`{"path":"/.well-known/acme-challenge/"}`, `{"urls":{"https://a.example.com":"http://b"}}`, `{"redirects":["http"]}`, `{"path":"/"}`, `{`, `[]`, `{"urls":{"https://a":1}}`} {
		for kind := range byte(4) {
			f.Add(kind, seed)
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, text string) {
		o := changed(int(kind)%4, text)
		before := o.DeepCopy()
		change := Revert(o)
		if change.Ref() != cluster.RefOf(before) || change.Verb == cluster.Delete || change.Verb == cluster.Create {
			t.Fatalf("%s %s of %s", change.Verb, change.Ref(), cluster.RefOf(before))
		}
		was, is := exempt(before), exempt(change.After)
		if slices.ContainsFunc(is, func(path string) bool { return !slices.Contains(was, path) }) {
			t.Errorf("%q exempts %q, before %q", text, is, was)
		}
	})
}

// changed returns an object of the kinds that expose changes, with a record.
func changed(kind int, text string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: []map[string]any{
		{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{SkipAuthKey: "/dex,/x", "a": "https://a.example.com/dex"}},
		{"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "spec": map[string]any{"servers": []any{map[string]any{"hosts": []any{"*"}, "port": map[string]any{"name": "http", "number": int64(80), "protocol": "HTTP"}}}}},
		{"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "spec": map[string]any{"action": "CUSTOM", "rules": []any{map[string]any{"to": []any{map[string]any{"operation": map[string]any{"notPaths": []any{"/dex/*", ChallengePath + "*"}}}}}}}},
		{"apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication", "spec": map[string]any{"jwtRules": []any{map[string]any{"issuer": "https://a.example.com/dex"}}}},
	}[kind]}
	o.SetNamespace("istio-system")
	o.SetName("a")
	o.SetAnnotations(map[string]string{Annotation: text})
	o.SetLabels(map[string]string{Label: "expose"})
	return o
}

// exempt returns the paths that need no authentication.
func exempt(o *unstructured.Unstructured) (paths []string) {
	skipped, _, _ := unstructured.NestedString(o.Object, "data", SkipAuthKey)
	paths = strings.Split(skipped, ",")
	eachOperation(o, func(operation map[string]any) {
		list, _, _ := unstructured.NestedStringSlice(operation, "notPaths")
		paths = append(paths, list...)
	})
	return paths
}
