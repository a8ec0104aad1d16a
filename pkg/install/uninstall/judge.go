package uninstall

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// judgeDefinitions lets a definition go when all objects made from it do.
func (d *departure) judgeDefinitions() {
	for _, entry := range d.request.Inventory.Objects {
		o := d.survey.find(entry.Ref)
		if _, shared := d.shared[entry.Ref.Identity()]; entry.Ref.GroupKind() != kube.CustomResourceDefinitionKind || o == nil || shared || theirs(o, entry) {
			continue
		}
		made, known := d.survey.definition(o.GetName())
		if known {
			if err := d.survey.unread[made.GroupKind]; err != nil {
				d.keep(entry.Ref, true, "its objects cannot be read: %v", err)
				continue
			}
			if staying := d.staying(d.survey.objects[made.GroupKind]); len(staying) > 0 {
				d.keep(entry.Ref, true, "there still %s %s of it: %s", text.Verb(len(staying), "is", "are"), text.Plural(len(staying), "object"), nameSome(staying))
				continue
			}
		}
		d.take(Definitions, o)
	}
}

func (d *departure) staying(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range objects {
		if !d.goes(o) && !d.inGoingSpace(o) {
			out = append(out, o)
		}
	}
	return out
}

// inGoingSpace tells whether an object is in a user's namespace that goes with everything in it.
func (d *departure) inGoingSpace(o *unstructured.Unstructured) bool {
	if o.GetNamespace() == "" {
		return false
	}
	space := d.survey.find(cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: o.GetNamespace()})
	return space != nil && userSpace(space) && d.going[space.GetUID()]
}

// judgeNamespaces lets a namespace go when nothing in it stays.
func (d *departure) judgeNamespaces() {
	staying := map[string][]*unstructured.Unstructured{}
	seen := map[types.UID]bool{}
	for _, kind := range d.survey.kinds {
		for _, o := range d.survey.objects[kind.GroupKind] {
			if ns := o.GetNamespace(); d.spaces[ns] && !seen[o.GetUID()] && !isFurniture(o) && !d.goes(o) && !d.owned(o) {
				seen[o.GetUID()] = true
				staying[ns] = append(staying[ns], o)
			}
		}
	}
	for _, entry := range d.request.Inventory.Objects {
		o := d.survey.find(entry.Ref)
		if entry.Ref.GroupKind() != kube.NamespaceKind || o == nil || !d.spaces[entry.Ref.Name] || d.going[o.GetUID()] {
			continue
		}
		switch name := entry.Ref.Name; {
		case o.GetDeletionTimestamp() != nil:
		case d.housing(name) != "":
			d.keep(entry.Ref, true, "the record of the installation %q is in it", d.housing(name))
			continue
		case len(staying[name]) > 0:
			d.keep(entry.Ref, true, "it holds %s", nameSome(staying[name]))
			continue
		case d.blind() != nil:
			d.keep(entry.Ref, true, "what is in it cannot be seen: %v", d.blind())
			continue
		}
		if entry.Ref.Name == d.request.Inventory.Home {
			d.take(Home, o)
		} else {
			d.take(Namespaces, o)
		}
	}
}

// keepHome keeps the namespace of the record for as long as the record has to list something.
func (d *departure) keepHome() {
	for _, o := range d.waves[Home] {
		if slices.ContainsFunc(d.removal.Keep, func(k Kept) bool { return k.Listed }) && o.GetDeletionTimestamp() == nil {
			delete(d.waves, Home)
			d.keep(cluster.RefOf(o), true, "the record of what stays is in it")
		}
	}
}

// housing returns which other installation keeps its record in a namespace.
func (d *departure) housing(namespace string) string {
	for _, other := range d.request.Others {
		if other.Home == namespace {
			return other.Name
		}
	}
	return ""
}

// blind returns why objects in namespaces may have been overlooked, nil when none can have been.
func (d *departure) blind() error {
	for _, kind := range d.survey.kinds {
		if err := d.survey.unread[kind.GroupKind]; err != nil && kind.Namespaced {
			return err
		}
	}
	return nil
}
