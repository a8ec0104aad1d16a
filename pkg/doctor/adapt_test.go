package doctor

import (
	"context"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

func settings(name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	o.SetNamespace("kubeflow")
	o.SetName(name)
	return o
}

// fixing is a check that finds something about one object, with a fix of these changes, until done says that it is fixed.
func fixing(about *unstructured.Unstructured, done func([]*unstructured.Unstructured) bool, changes ...cluster.Change) *Check {
	kind := schema.GroupKind{Kind: "ConfigMap"}
	return &Check{ID: "test/fixing", Title: "t", Reads: []schema.GroupKind{kind}, Run: func(ctx context.Context, e Exam) ([]Finding, error) {
		all, err := e.List(ctx, kind, cluster.Scope{})
		if err != nil || done(all) {
			return nil, err
		}
		return []Finding{{Severity: Error, About: Subject{Ref: cluster.RefOf(about)}, Message: "m", Fix: &Fix{Title: "f", Impact: Safe, Changes: changes}}}, nil
	}}
}

func names(components []release.RenderedComponent) map[string][]string {
	all := map[string][]string{}
	for _, c := range components {
		all[c.Name] = []string{}
		for _, o := range c.Objects {
			all[c.Name] = append(all[c.Name], o.GetName())
		}
	}
	return all
}

func has(name string) func([]*unstructured.Unstructured) bool {
	return func(all []*unstructured.Unstructured) bool {
		return slices.ContainsFunc(all, func(o *unstructured.Unstructured) bool { return o.GetName() == name })
	}
}

// Objects that an adaptation adds or drops must not move others from one component to the next.
func TestAnAdaptationStaysWithinTheComponentOfItsObject(t *testing.T) {
	a, b, c, added := settings("a"), settings("b"), settings("c"), settings("added")
	edited := cluster.Edit(c, func(o *unstructured.Unstructured) { o.SetLabels(map[string]string{"fixed": "yes"}) })
	for _, test := range []struct {
		name    string
		check   *Check
		changes int
		want    map[string][]string
	}{
		{"an added object joins the component of the object that needed it",
			fixing(a, has("added"), cluster.Change{Verb: cluster.Apply, After: added}), 1,
			map[string][]string{"one": {"a", "b", "added"}, "two": {"c"}}},
		{"an added object joins the component of what the fix changes besides, where the finding is about something else",
			fixing(settings("elsewhere"), has("added"), cluster.Change{Verb: cluster.Apply, After: added}, edited), 2,
			map[string][]string{"one": {"a", "b"}, "two": {"c", "added"}}},
		{"a dropped object leaves its component",
			fixing(b, func(all []*unstructured.Unstructured) bool { return !has("b")(all) }, cluster.Change{Verb: cluster.Delete, Before: b}), 1,
			map[string][]string{"one": {"a"}, "two": {"c"}}},
		{"an edited object stays where it is",
			fixing(c, func(all []*unstructured.Unstructured) bool {
				return slices.ContainsFunc(all, func(o *unstructured.Unstructured) bool { return o.GetLabels()["fixed"] != "" })
			}, edited), 1,
			map[string][]string{"one": {"a", "b"}, "two": {"c"}}},
		{"what is not rendered is left alone",
			fixing(settings("fact"), func([]*unstructured.Unstructured) bool { return false }, cluster.Change{Verb: cluster.Delete, Before: settings("fact")}), 0,
			map[string][]string{"one": {"a", "b"}, "two": {"c"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			given := []release.RenderedComponent{{Name: "one", Objects: []*unstructured.Unstructured{a, b}}, {Name: "two", Objects: []*unstructured.Unstructured{c}}}
			got, made, err := Adapt(t.Context(), []*Check{test.check}, given, settings("fact"))
			if err != nil {
				t.Fatal(err)
			}
			changes := 0
			for _, a := range made {
				changes += len(a.Changes)
			}
			if changes != test.changes {
				t.Errorf("%d changes were made, want %d", changes, test.changes)
			}
			for component, want := range test.want {
				if have := names(got)[component]; !slices.Equal(have, want) {
					t.Errorf("component %s holds %v, want %v", component, have, want)
				}
			}
			if have := names(given); len(have["one"]) != 2 || len(have["two"]) != 1 {
				t.Errorf("the components that were given changed: %v", have)
			}
		})
	}
}
