package uninstall

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// decideCRDs deletes a CRD if all its objects are deleted.
func (d *planner) decideCRDs() {
	for _, entry := range d.request.Inventory.Objects {
		o := d.snapshot.find(entry.Ref)
		if _, shared := d.shared[entry.Ref.Identity()]; entry.Ref.GroupKind() != kube.CustomResourceDefinitionKind || o == nil || shared || !inventory.Ours(o) {
			continue
		}
		made, known := d.snapshot.definition(o.GetName())
		if known {
			if err := d.snapshot.unread[made.GroupKind]; err != nil {
				d.keep(entry.Ref, true, "its objects cannot be read: %v", err)
				continue
			}
			if staying := d.remaining(d.snapshot.objects[made.GroupKind]); len(staying) > 0 {
				d.keep(entry.Ref, true, "%s of this kind still %s: %s", text.Plural(len(staying), "object"), text.Verb(len(staying), "exists", "exist"), listObjects(staying))
				continue
			}
		}
		d.add(crds, o)
	}
}

func (d *planner) remaining(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range objects {
		if !d.willBeDeleted(o) && !d.inDeletedNamespace(o) {
			out = append(out, o)
		}
	}
	return out
}

// inDeletedNamespace reports whether an object is in a profile namespace that is deleted with everything in it.
func (d *planner) inDeletedNamespace(o *unstructured.Unstructured) bool {
	if o.GetNamespace() == "" {
		return false
	}
	space := d.snapshot.find(cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: o.GetNamespace()})
	return space != nil && isProfileNamespace(space) && d.deleted[space.GetUID()]
}

// decideNamespaces deletes a namespace if nothing in it is kept.
func (d *planner) decideNamespaces() {
	staying := map[string][]*unstructured.Unstructured{}
	seen := map[types.UID]bool{}
	for _, kind := range d.snapshot.kinds {
		for _, o := range d.snapshot.objects[kind.GroupKind] {
			if ns := o.GetNamespace(); d.namespaces[ns] && !seen[o.GetUID()] && !isDefaultObject(o) && !d.willBeDeleted(o) && !d.owned(o) {
				seen[o.GetUID()] = true
				staying[ns] = append(staying[ns], o)
			}
		}
	}
	for _, entry := range d.request.Inventory.Objects {
		o := d.snapshot.find(entry.Ref)
		if entry.Ref.GroupKind() != kube.NamespaceKind || o == nil || !d.namespaces[entry.Ref.Name] || d.deleted[o.GetUID()] {
			continue
		}
		switch name := entry.Ref.Name; {
		case o.GetDeletionTimestamp() != nil:
		case len(staying[name]) > 0:
			d.keep(entry.Ref, true, "it holds %s", listObjects(staying[name]))
			continue
		case d.unreadError() != nil:
			d.keep(entry.Ref, true, "its objects cannot be listed: %v", d.unreadError())
			continue
		}
		d.add(namespaces, o)
	}
}

// decideStateNamespace deletes the namespace of the records with the last installation, unless something of others is in it.
func (d *planner) decideStateNamespace() {
	recorded := d.request.Inventory.Revision() != "" // else an earlier uninstall has deleted the record: it has deleted the namespace as well
	if o := d.snapshot.StateNamespace(); o != nil && (recorded || o.GetDeletionTimestamp() != nil) && len(d.request.Others) == 0 && !slices.ContainsFunc(d.plan.Keep, func(k Kept) bool { return k.Listed }) && d.unreadError() == nil {
		d.add(stateNamespace, o)
	}
}

// StateNamespace returns the namespace of the records if it is this program's and holds nothing of others, else nil.
func (s *Snapshot) StateNamespace() *unstructured.Unstructured {
	namespace := s.find(cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: state.Namespace})
	if namespace == nil || !state.Ours(namespace) {
		return nil
	}
	for _, kind := range s.kinds {
		for _, o := range s.objects[kind.GroupKind] {
			if o.GetNamespace() == state.Namespace && !isDefaultObject(o) {
				return nil
			}
		}
	}
	return namespace
}

// unreadError returns why objects in namespaces may have been overlooked, nil when none can have been.
func (d *planner) unreadError() error {
	for _, kind := range d.snapshot.kinds {
		if err := d.snapshot.unread[kind.GroupKind]; err != nil && kind.Namespaced {
			return err
		}
	}
	return nil
}
