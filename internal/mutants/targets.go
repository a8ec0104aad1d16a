package mutants

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// targets returns mutants in which what is referred to is gone, or has another name.
func (f *finder) targets() []Mutant {
	var all []Mutant
	for _, o := range f.order {
		renamed := o.DeepCopy()
		renamed.SetName(f.typo(o.GetName()))
		all = append(all,
			Mutant{Kind: "deleted object", Before: o, Path: "metadata.name", Was: o.GetName(), Users: f.used[o]},
			Mutant{Kind: "renamed object", Before: o, After: renamed, Path: "metadata.name", Was: o.GetName(), Now: renamed.GetName(), Users: f.used[o]})
		for _, key := range slices.Sorted(maps.Keys(f.keys[o])) {
			after := o.DeepCopy()
			for _, field := range []string{"data", "stringData"} {
				if value, found, _ := unstructured.NestedFieldNoCopy(after.Object, field, key); found {
					unstructured.RemoveNestedField(after.Object, field, key)
					_ = unstructured.SetNestedField(after.Object, value, field, key+"x")
				}
			}
			all = append(all, Mutant{Kind: "renamed key", Before: o, After: after, Path: "data." + key, Was: key, Now: key + "x", Users: f.keys[o][key]})
		}
	}
	for _, o := range f.objects {
		all = append(all, f.renamedPorts(o)...)
		all = append(all, f.relabelled(o)...)
	}
	return append(all, f.withoutDefinition()...)
}

// renamedPorts renames each named port of a container that something else names.
func (f *finder) renamedPorts(o *unstructured.Unstructured) []Mutant {
	var all []Mutant
	each(o.Object, nil, nil, func(keys []any, value any, _ map[string]any) {
		name, _ := value.(string)
		if n := len(keys); name == "" || n < 6 || keys[n-1] != "name" || keys[n-3] != "ports" || keys[n-5] != "containers" {
			return
		}
		var users []Place
		for _, other := range f.objects {
			if other != o && (other.GetKind() != "Service" || other.GetNamespace() != o.GetNamespace() || !selects(other, o)) {
				continue
			}
			each(other.Object, nil, nil, func(at []any, v any, _ map[string]any) {
				last := at[len(at)-1]
				if v == any(name) && (last == "targetPort" || last == "port") {
					users = append(users, Place{other, path(at)})
				}
			})
		}
		if len(users) > 0 {
			all = append(all, Mutant{Kind: "renamed port", Before: o, change: setting(o, name+"x", keys), Path: path(keys), Was: name, Now: name + "x", Users: users})
		}
	})
	return all
}

// relabelled changes the labels by which Services select the pods of a workload.
func (f *finder) relabelled(o *unstructured.Unstructured) []Mutant {
	var all []Mutant
	for _, service := range f.objects {
		if service.GetKind() != "Service" || service.GetNamespace() != o.GetNamespace() || !selects(service, o) {
			continue
		}
		selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
		for _, key := range slices.Sorted(maps.Keys(selector)) {
			value := selector[key]
			keys := []any{"spec", "template", "metadata", "labels", key}
			all = append(all, Mutant{
				Kind: "changed label", Before: o, change: setting(o, value+"x", keys), Path: path(keys), Was: value, Now: value + "x",
				Users: []Place{{service, "spec.selector." + key}, {o, "spec.selector.matchLabels." + key}},
			})
		}
	}
	return all
}

func selects(service, workload *unstructured.Unstructured) bool {
	selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	labels, _, _ := unstructured.NestedStringMap(workload.Object, "spec", "template", "metadata", "labels")
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}

// withoutDefinition deletes the CustomResourceDefinitions of which there are objects, and namespaces that have some.
func (f *finder) withoutDefinition() []Mutant {
	var all []Mutant
	for _, o := range f.objects {
		group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
		var users []Place
		for _, other := range f.objects {
			switch {
			case o.GetKind() == "CustomResourceDefinition" && other.GetKind() == kind && other.GroupVersionKind().Group == group:
				users = append(users, Place{other, "kind"})
			case o.GetKind() == "Namespace" && other.GetNamespace() == o.GetName():
				users = append(users, Place{other, "metadata.namespace"})
			}
		}
		if len(users) > 0 {
			m := Mutant{Kind: "deleted namespace", Before: o, Path: "metadata.name", Was: o.GetName(), Users: users}
			if kind != "" {
				m.Kind, m.Was = "deleted definition", kind
			}
			all = append(all, m)
		}
	}
	return all
}
