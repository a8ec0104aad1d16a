package dashboard_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// paths returns the paths of all fields of a value, and of all entries of its lists.
func paths(value any, at []any) [][]any {
	all := [][]any{slices.Clone(at)}
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			all = append(all, paths(inner, append(slices.Clone(at), key))...)
		}
	case []any:
		for i, inner := range v {
			all = append(all, paths(inner, append(slices.Clone(at), i))...)
		}
	}
	return all
}

// In each proven chain each field is deleted, renamed and replaced in turn. What stays proven may not let an anonymous request pass, by
// the oracle's evaluation of the policies.
func TestAChangedChainIsNotProvenUnlessItRefusesAnonymousRequests(t *testing.T) {
	n, mutants, unproven := 0, 0, 0
	for _, s := range kubetest.Shapes(t, "testdata/signin.yaml") {
		if !s.Proven {
			continue
		}
		objects := s.Objects(t, "testdata/signin")
		for i, o := range objects {
			for _, path := range paths(o.Object, nil) {
				if len(path) < 2 || path[0] != "spec" && path[0] != "data" && path[0] != "endpoints" && path[0] != "metadata" {
					continue
				}
				for _, to := range []any{nil, "x", []any{"x"}, true} {
					if n++; testing.Short() && n%5 != 0 {
						continue
					}
					changed := slices.Clone(objects)
					mutant, _ := kubetest.Set(o.Object, to, path...).(map[string]any)
					changed[i] = &unstructured.Unstructured{Object: mutant}
					mutants++
					got := authentication(t, changed)
					if !got.Proven {
						unproven++
						continue
					}
					if testing.Verbose() && o.GetKind() != "AuthorizationPolicy" && o.GetKind() != "Pod" && o.GetKind() != "Service" && o.GetKind() != "Gateway" {
						t.Logf("PROVEN %s: %s %v = %v", s.Base, cluster.RefOf(o), path, to)
					}
					if filtered := strings.HasPrefix(got.Reason, "EnvoyFilter"); !filtered {
						if r := newOracle(t, changed).open(); r != nil {
							t.Errorf("%s: %s %v = %v: proven (%s), but %+v passes", s.About, cluster.RefOf(o), path, to, got.Reason, *r)
						}
					}
				}
			}
		}
	}
	if mutants < 500 || unproven < mutants/3 {
		t.Errorf("%d of %d mutants are not proven: too few to mean anything", unproven, mutants)
	}
	t.Logf("%d of %d mutants are not proven", unproven, mutants)
}

// Policies at random, with one proven chain's other objects: whatever is proven refuses every anonymous request.
func TestRandomPoliciesAreProvenOnlyIfTheyRefuseAnonymousRequests(t *testing.T) {
	base := kubetest.Shape{Base: "oauth2-proxy-and-token"}.Objects(t, "testdata/signin")
	base = slices.DeleteFunc(base, func(o *unstructured.Unstructured) bool { return o.GetKind() == "AuthorizationPolicy" })
	random := rand.New(rand.NewPCG(1, 2))
	proven := 0
	for n := range 4000 {
		objects := slices.Clone(base)
		for i := range 1 + random.IntN(3) {
			objects = append(objects, randomPolicy(random, i))
		}
		got := authentication(t, objects)
		if !got.Proven {
			continue
		}
		proven++
		if r := newOracle(t, objects).open(); r != nil {
			t.Fatalf("%d: proven (%s), but %+v passes: %v", n, got.Reason, *r, objects[len(base):])
		}
	}
	if proven < 50 {
		t.Errorf("only %d are proven: the test is about nothing", proven)
	}
	t.Logf("%d of 4000 are proven", proven)
}

func randomPolicy(random *rand.Rand, i int) *unstructured.Unstructured {
	pick := func(values ...any) any { return values[random.IntN(len(values))] }
	spec := map[string]any{"action": pick("CUSTOM", "DENY", "ALLOW", "DENY", "CUSTOM", "AUDIT")}
	if spec["action"] == "CUSTOM" {
		spec["provider"] = map[string]any{"name": pick("oauth2-proxy", "oauth2-proxy", "oauth2-proxy", "other")}
	}
	if labels := pick(nil, map[string]any{"app": "istio-ingressgateway"}, map[string]any{"app": "other"}, map[string]any{}); labels != nil {
		spec["selector"] = map[string]any{"matchLabels": labels}
	}
	if random.IntN(12) == 0 {
		spec["targetRefs"] = []any{map[string]any{"kind": "Gateway", "name": "x"}}
	}
	var rules []any
	for range random.IntN(3) {
		rule := map[string]any{}
		if random.IntN(2) == 0 {
			source := map[string]any{}
			for range 1 + random.IntN(2) {
				source[pick("notRequestPrincipals", "notRequestPrincipals", "requestPrincipals", "notPrincipals", "ipBlocks", "notIpBlocks").(string)] = []any{pick("*", "*", "0.0.0.0/0")}
			}
			rule["from"] = []any{map[string]any{"source": source}}
		}
		var to []any
		for range random.IntN(3) {
			operation := map[string]any{}
			for range 1 + random.IntN(2) {
				switch random.IntN(4) {
				case 0, 1:
					operation[pick("notPaths", "notPaths", "paths").(string)] = []any{pick("/dex/*", "/oauth2/*", "/*", "/pipeline/*", "*/dex/")}
				case 2:
					operation[pick("hosts", "notHosts").(string)] = []any{pick("*", "kubeflow.example.com")}
				default:
					operation[pick("ports", "methods", "notMethods").(string)] = []any{pick("8080", "GET")}
				}
			}
			to = append(to, map[string]any{"operation": operation})
		}
		if to != nil {
			rule["to"] = to
		}
		if random.IntN(4) == 0 {
			rule["when"] = []any{map[string]any{
				"key": pick("request.headers[authorization]", "request.auth.principal", "request.headers[x]"), pick("notValues", "values").(string): []any{pick("*", "z")},
			}}
		}
		rules = append(rules, rule)
	}
	if rules != nil {
		spec["rules"] = rules
	}
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
		"metadata": map[string]any{"name": fmt.Sprint("p", i), "namespace": "istio-system"}, "spec": spec,
	}}
	if random.IntN(12) == 0 {
		o.SetAnnotations(map[string]string{"istio.io/dry-run": "true"})
	}
	return o
}
