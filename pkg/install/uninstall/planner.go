package uninstall

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// A planner decides a Plan.
type planner struct {
	request  Request
	snapshot *Snapshot
	plan     *Plan

	entries    map[cluster.Ref]inventory.Entry // of the inventory, by identity
	shared     map[cluster.Ref]string
	ownKinds   map[schema.GroupKind]bool // kinds whose CRD is deleted unless others use it
	namespaces map[string]bool           // namespaces of Kubeflow's objects that may be deleted, or that were created for a Profile
	waves      map[phase][]*unstructured.Unstructured
	deleted    map[types.UID]bool
	agreed     map[cluster.Ref]bool // by identity: what request.Agreed deletes
	visiting   map[types.UID]bool   // willBeDeleted is running for it: owner references may form a cycle
}

func newPlanner(request Request, survey *Snapshot) *planner {
	have := request.Inventory
	d := &planner{
		request: request, snapshot: survey, plan: &Plan{Name: have.Name, Release: have.Release, have: have},
		entries: map[cluster.Ref]inventory.Entry{}, shared: map[cluster.Ref]string{}, ownKinds: map[schema.GroupKind]bool{}, namespaces: map[string]bool{},
		waves: map[phase][]*unstructured.Unstructured{}, deleted: map[types.UID]bool{}, visiting: map[types.UID]bool{}, agreed: map[cluster.Ref]bool{},
	}
	for _, other := range request.Others {
		for _, ref := range other.Refs() {
			d.shared[ref.Identity()] = other.Name
		}
	}
	for _, entry := range have.Objects {
		d.entries[entry.Ref.Identity()] = entry
	}
	if request.Agreed != nil {
		for _, ref := range request.Agreed.Refs() {
			d.agreed[ref.Identity()] = true
		}
	}
	return d
}

// agreedTo reports whether the user confirmed the deletion of an object: by name, or because it is in a profile namespace that
// is deleted with everything in it.
func (d *planner) agreedTo(o *unstructured.Unstructured) bool {
	space := cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: o.GetNamespace()}.Identity()
	return d.agreed[cluster.RefOf(o).Identity()] || d.agreed[space] && slices.Contains(d.request.Agreed.Data.Namespaces, space.Name)
}

// add deletes an object in a phase, unless the user confirmed a plan that does not include it.
func (d *planner) add(p phase, o *unstructured.Unstructured) {
	if agreed := d.request.Agreed; agreed != nil && !d.agreedTo(o) && p != stateNamespace { // which this run itself may have created
		ref := cluster.RefOf(o)
		_, listed := d.entries[ref.Identity()]
		if !isKept(d.plan.Keep, o) {
			d.keep(ref, listed, "%s", cmp.Or(agreed.reason(ref), "it was created after the uninstall was confirmed"))
		}
		return
	}
	if !d.deleted[o.GetUID()] {
		d.deleted[o.GetUID()] = true
		d.waves[p] = append(d.waves[p], o)
	}
}

func (d *planner) keep(ref cluster.Ref, listed bool, why string, args ...any) {
	d.plan.Keep = append(d.plan.Keep, Kept{Ref: ref, Why: fmt.Sprintf(why, args...), Listed: listed})
}

// classifyEntries plans the deletion of the listed objects that exist and are this program's, except data and what others need.
func (d *planner) classifyEntries() {
	for _, entry := range d.request.Inventory.Objects {
		o := d.snapshot.find(entry.Ref)
		if o == nil {
			if err := d.snapshot.unread[entry.Ref.GroupKind()]; err != nil {
				d.keep(entry.Ref, true, "it cannot be read: %v", err)
			}
			continue
		}
		kind := entry.Ref.GroupKind()
		name, shared := d.shared[entry.Ref.Identity()]
		switch {
		case shared:
			d.keep(entry.Ref, false, "it also belongs to installation %q", name)
		case kind == kube.NamespaceKind:
			d.classifyNamespace(entry, o)
		case !inventory.Ours(o):
			d.keep(entry.Ref, false, notOurs)
		case holdsData(kind) && !d.request.DeleteData:
			d.keep(entry.Ref, true, "it holds data")
		case kind == kube.CustomResourceDefinitionKind: // decided once it is known which of its objects are deleted
			if made, known := d.snapshot.definition(o.GetName()); known {
				d.ownKinds[made.GroupKind] = true
			}
		default:
			d.add(phaseOf(kind), o)
		}
	}
}

// classifyNamespace classifies a namespace: whether it is deleted is decided once it is known what is kept in it.
func (d *planner) classifyNamespace(entry inventory.Entry, o *unstructured.Unstructured) {
	switch ref := entry.Ref; {
	case slices.Contains([]string{"default", "kube-system", "kube-public", "kube-node-lease"}, ref.Name):
	case isProfileNamespace(o) && !d.request.DeleteData:
		d.keep(ref, true, "it is a profile namespace")
	case isProfileNamespace(o): // deleted with its Profile
	case entry.PreExisting || plan.PreExisting(o):
		d.keep(ref, false, "it existed before the install")
		if inventory.Ours(o) {
			d.plan.preExisting = append(d.plan.preExisting, o)
		}
	case !inventory.Ours(o) && o.GetDeletionTimestamp() == nil:
		d.keep(ref, false, notOurs)
	default:
		d.namespaces[ref.Name] = true
	}
}

func holdsData(kind schema.GroupKind) bool {
	return kind == kube.PersistentVolumeClaimKind || kind == kube.PersistentVolumeKind || kind == kube.ProfileKind
}

// notOurs is why an object that an inventory lists is kept: what a record says alone deletes nothing.
const notOurs = "this program did not write it: another client recreated it, or only the record claims it"

// willBeDeleted reports whether an object is deleted: by the plan, or because all its owners are or no longer exist.
func (d *planner) willBeDeleted(o *unstructured.Unstructured) bool {
	uid := o.GetUID()
	switch {
	case d.deleted[uid]:
		return true
	case d.visiting[uid] || len(o.GetOwnerReferences()) == 0:
		return false
	}
	d.visiting[uid] = true
	defer delete(d.visiting, uid)
	for _, ref := range o.GetOwnerReferences() {
		kind := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
		owner := d.snapshot.uids[ref.UID]
		if owner == nil && d.snapshot.unread[kind] != nil || owner != nil && !d.willBeDeleted(owner) {
			return false
		}
	}
	return true
}

// listObjects lists objects in a sentence.
func listObjects(objects []*unstructured.Unstructured) string {
	return text.Names(objects, 5, func(o *unstructured.Unstructured) string { return cluster.RefOf(o).String() })
}
