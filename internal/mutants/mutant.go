package mutants

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Mutant is one fault in a set of objects.
type Mutant struct {
	Kind   string                     // how it came about: "broken name", "deleted object" …
	Before *unstructured.Unstructured // the object that is changed
	After  *unstructured.Unstructured // nil when it is deleted
	Path   string                     // of the changed field: "spec.template.spec.serviceAccountName"
	Was    string                     // the value, or the name, before
	Now    string                     // and after; "" if it is gone
	Users  []Place                    // where the broken name is referred to

	change func() *unstructured.Unstructured // makes After; few of all mutants are chosen
}

// A Place is a field of an object.
type Place struct {
	Object *unstructured.Unstructured
	Path   string
}

// String identifies a mutant among those of a release.
func (m Mutant) String() string {
	return fmt.Sprintf("%s: %s %s %s %q -> %q", m.Kind, m.Before.GetKind(), strings.TrimPrefix(m.Before.GetNamespace()+"/"+m.Before.GetName(), "/"), m.Path, m.Was, m.Now)
}

// Apply returns the objects with the fault. Other objects are shared.
func (m Mutant) Apply(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	out := slices.Clone(objects)
	i := slices.Index(out, m.Before)
	if m.After == nil {
		return slices.Delete(out, i, i+1)
	}
	out[i] = m.After
	return out
}

// sample returns at most n mutants, in turn from each stratum, so that rare fields are not drowned by common ones.
func sample(random *rand.Rand, n int, all []Mutant, stratum func(Mutant) string) []Mutant {
	strata := map[string][]Mutant{}
	var names []string
	for _, m := range all {
		s := stratum(m)
		if strata[s] == nil {
			names = append(names, s)
		}
		strata[s] = append(strata[s], m)
	}
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, s := range names {
		random.Shuffle(len(strata[s]), func(i, j int) { strata[s][i], strata[s][j] = strata[s][j], strata[s][i] })
	}
	var chosen []Mutant
	for round := 0; len(chosen) < min(n, len(all)); round++ {
		for _, s := range names {
			if round < len(strata[s]) && len(chosen) < n {
				chosen = append(chosen, strata[s][round].made())
			}
		}
	}
	return chosen
}

// made returns the mutant with its object changed.
func (m Mutant) made() Mutant {
	if m.change != nil {
		m.After = m.change()
	}
	return m
}

// Unique returns objects without those that a later one of the same name replaces, as it does when they are applied.
func Unique(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	last := map[string]*unstructured.Unstructured{}
	key := func(o *unstructured.Unstructured) string {
		return o.GroupVersionKind().GroupKind().String() + "/" + o.GetNamespace() + "/" + o.GetName()
	}
	for _, o := range objects {
		last[key(o)] = o
	}
	return slices.DeleteFunc(slices.Clone(objects), func(o *unstructured.Unstructured) bool { return last[key(o)] != o })
}
