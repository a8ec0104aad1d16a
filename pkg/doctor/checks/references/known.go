package references

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// known is what was read: the objects whose references are followed, and those that they can lead to.
type known struct {
	objects   map[schema.GroupKind]map[string]map[string]*unstructured.Unstructured // by kind, namespace and name
	manifests bool                                                                  // they are not on a cluster
	read      map[schema.GroupKind]map[string]bool                                  // on a cluster: the namespaces of which all is known
	profiles  map[string]bool

	everything []*unstructured.Unstructured // all manifests, of whatever kind
	elsewhere  []*unstructured.Unstructured // on a cluster: workloads in other namespaces, of which only the labels of their pods are known
}

func newKnown() *known {
	return &known{objects: map[schema.GroupKind]map[string]map[string]*unstructured.Unstructured{}, read: map[schema.GroupKind]map[string]bool{}, profiles: map[string]bool{}}
}

func (k *known) add(objects ...*unstructured.Unstructured) {
	for _, o := range objects {
		kind := o.GroupVersionKind().GroupKind()
		if k.objects[kind] == nil {
			k.objects[kind] = map[string]map[string]*unstructured.Unstructured{}
		}
		if k.objects[kind][o.GetNamespace()] == nil {
			k.objects[kind][o.GetNamespace()] = map[string]*unstructured.Unstructured{}
		}
		k.objects[kind][o.GetNamespace()][o.GetName()] = o
	}
}

func (k *known) find(t target) *unstructured.Unstructured {
	return k.objects[t.kind][t.namespace][t.name]
}

// of returns the objects of a kind, in the order of their names.
func (k *known) of(kind schema.GroupKind) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, in := range k.objects[kind] {
		for _, o := range in {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	return all
}

// complete reports whether an object of a kind that is not known does not exist. Manifests may be a part of what is applied: they are
// expected to bring what belongs in a namespace that they bring, and more of what they bring some of.
func (k *known) complete(kind schema.GroupKind, namespace string) bool {
	if !k.manifests {
		return k.read[kind][namespace]
	}
	namespaces := k.objects[kube.NamespaceKind][""]
	switch {
	case len(k.objects[kind][namespace]) > 0:
		return true
	case namespace == "":
		return k.defines(kind)
	case namespaces[namespace] != nil:
		return true
	}
	return !alwaysThere(namespace) && text.Closest(namespace, slices.Sorted(maps.Keys(namespaces))) != "" // a slip away from one that they bring
}

// defines reports whether the manifests bring the CustomResourceDefinition of a kind.
func (k *known) defines(kind schema.GroupKind) bool {
	for _, definition := range k.objects[kube.CustomResourceDefinitionKind][""] {
		if kube.DefinedKind(definition) == kind {
			return true
		}
	}
	return false
}

// concerns reports whether a reference is Kubeflow's. On a cluster, an object without a namespace may be anybody's: it is Kubeflow's if it
// leads into one of Kubeflow's namespaces, or is for those who are there.
func (k *known) concerns(p place, t target) bool {
	if k.manifests || p.object.GetNamespace() != "" {
		return true
	}
	if t.namespace != "" {
		return workloads.IsSystem(t.namespace)
	}
	return slices.ContainsFunc(kube.Items(p.object.Object, "subjects"), func(s map[string]any) bool { return workloads.IsSystem(kube.Text(s, "namespace")) })
}

// ours reports whether an object is Kubeflow's or in a profile namespace, as far as its namespace tells. Manifests may be for a namespace
// that they do not bring.
func (k *known) ours(namespace string) bool {
	return namespace == "" || workloads.IsSystem(namespace) || k.profiles[namespace] || k.manifests && k.objects[kube.NamespaceKind][""][namespace] == nil
}

// readManifests reads all kinds of the table: there are no requests to save.
func (k *known) readManifests(ctx context.Context, e doctor.Exam) error {
	k.manifests = true
	for _, kind := range Kinds() {
		list, err := workloads.ListIfKnown(ctx, e, kind, cluster.Scope{})
		if err != nil {
			return err
		}
		k.add(list...)
	}
	k.everything, _ = e.Manifests(ctx)
	for _, ns := range k.of(kube.NamespaceKind) {
		k.profiles[ns.GetName()] = doctor.IsProfile(ns)
	}
	return nil
}
