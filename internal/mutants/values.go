package mutants

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Values returns n mutants in which one field of one object has a random value, is missing or is unknown. The API server says which of
// them are faults.
func Values(seed uint64, n int, objects []*unstructured.Unstructured) []Mutant {
	random := rand.New(rand.NewPCG(seed, 2))
	var all []Mutant
	for _, o := range Unique(objects) {
		each(o.Object, nil, nil, func(keys []any, value any, _ map[string]any) {
			where := path(keys)
			if unchangeable(o, where, keys) {
				return
			}
			for _, change := range changes(value) {
				now := change.to(random)
				at := keys
				if change.kind == "unknown field" {
					at = append(append([]any{}, keys...), now)
					now = "x"
				}
				if len(at) == 2 && at[0] == "metadata" && (at[1] == "name" || at[1] == "namespace") {
					continue
				}
				m := Mutant{Kind: change.kind, Before: o, Path: path(at), Was: short(value), Now: short(now), Users: []Place{{o, path(at)}}}
				if _, inList := at[len(at)-1].(int); inList && now == nil {
					continue
				}
				m.change = setting(o, now, at)
				all = append(all, m)
			}
		})
	}
	return sample(random, n, all, func(m Mutant) string { return m.Kind + m.Before.GetKind() + shape(m.Path) })
}

// unchangeable fields say what an object is; those of a CustomResourceDefinition's schema are too many.
func unchangeable(o *unstructured.Unstructured, where string, keys []any) bool {
	return len(keys) == 1 || where == "metadata.name" || where == "metadata.namespace" || strings.HasPrefix(where, "status") ||
		o.GetKind() == "CustomResourceDefinition" && (strings.Contains(where, ".openAPIV3Schema") || strings.Contains(where, ".validation.")) ||
		o.GetKind() == "ConfigMap" && len(keys) > 2
}

type change struct {
	kind string
	to   func(*rand.Rand) any
}

func constant(value any) func(*rand.Rand) any { return func(*rand.Rand) any { return value } }

// changes returns what may be done to a value.
func changes(value any) []change {
	list := []change{{"missing field", constant(nil)}}
	switch value := value.(type) {
	case string:
		return append(list,
			change{"unknown value", func(r *rand.Rand) any { return []string{"Unknwon", "tcpp", "sometimes"}[r.IntN(3)] }},
			change{"bad name", func(r *rand.Rand) any { return []string{"Not_A_Name!", "-x", "", strings.Repeat("x", 300)}[r.IntN(4)] }},
			change{"wrong type", func(r *rand.Rand) any { return []any{int64(7), true, []any{"x"}, map[string]any{"x": "y"}}[r.IntN(4)] }})
	case int64, float64:
		return append(list,
			change{"number out of range", func(r *rand.Rand) any { return []int64{-1, 0, 1 << 17, -3}[r.IntN(4)] }},
			change{"wrong type", func(r *rand.Rand) any { return []any{"many", true, []any{int64(1)}}[r.IntN(3)] }})
	case bool:
		return append(list, change{"wrong type", func(r *rand.Rand) any { return []any{"yes", int64(1)}[r.IntN(2)] }})
	case map[string]any:
		return append(list,
			change{"unknown field", func(r *rand.Rand) any { return fmt.Sprintf("unknownField%d", r.IntN(10)) }},
			change{"wrong type", constant("text")})
	case []any:
		list = append(list, change{"wrong type", constant(map[string]any{"a": "b"})})
		if len(value) > 0 {
			list = append(list, change{"duplicate item", constant(append(append([]any{}, value...), value[0]))})
		}
	}
	return list
}

func short(value any) string {
	text := fmt.Sprint(value)
	if value == nil {
		return ""
	}
	if len(text) > 60 {
		return text[:60] + "…"
	}
	return text
}
