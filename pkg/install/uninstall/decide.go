package uninstall

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// A departure is a Removal that is being decided.
type departure struct {
	request UninstallRequest
	survey  *Survey
	removal *Removal

	entries map[cluster.Ref]inventory.Entry // of the inventory, by identity
	shared  map[cluster.Ref]string
	ours    map[schema.GroupKind]bool // kinds whose definition goes, if nobody else uses it
	spaces  map[string]bool           // namespaces that Kubeflow's objects live in and that may go, or that it made for a Profile
	waves   map[Phase][]*unstructured.Unstructured
	going   map[types.UID]bool
	agreed  map[cluster.Ref]bool // by identity: what goes of request.Agreed
	asked   map[types.UID]bool   // goes is being answered: owners may go in circles
}

func newDeparture(request UninstallRequest, survey *Survey) *departure {
	have := request.Inventory
	d := &departure{
		request: request, survey: survey, removal: &Removal{Name: have.Name, Release: have.Release, have: have},
		entries: map[cluster.Ref]inventory.Entry{}, shared: map[cluster.Ref]string{}, ours: map[schema.GroupKind]bool{}, spaces: map[string]bool{},
		waves: map[Phase][]*unstructured.Unstructured{}, going: map[types.UID]bool{}, asked: map[types.UID]bool{}, agreed: map[cluster.Ref]bool{},
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

// agreedTo tells whether an object is part of what the user agreed to: by name, or because it is in a user's namespace that
// goes with everything in it.
func (d *departure) agreedTo(o *unstructured.Unstructured) bool {
	space := cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: o.GetNamespace()}.Identity()
	return d.agreed[cluster.RefOf(o).Identity()] || d.agreed[space] && slices.Contains(d.request.Agreed.Data.Namespaces, space.Name)
}

// take lets an object go in a phase, unless the user agreed to something that it is no part of.
func (d *departure) take(p Phase, o *unstructured.Unstructured) {
	if agreed := d.request.Agreed; agreed != nil && !d.agreedTo(o) {
		ref := cluster.RefOf(o)
		_, listed := d.entries[ref.Identity()]
		if !isKept(d.removal.Keep, o) {
			d.keep(ref, listed, "%s", cmp.Or(agreed.reason(ref), "it came after the uninstall was agreed to"))
		}
		return
	}
	if !d.going[o.GetUID()] {
		d.going[o.GetUID()] = true
		d.waves[p] = append(d.waves[p], o)
	}
}

func (d *departure) keep(ref cluster.Ref, listed bool, why string, args ...any) {
	d.removal.Keep = append(d.removal.Keep, Kept{Ref: ref, Why: fmt.Sprintf(why, args...), Listed: listed})
}

// sortEntries goes through the inventory: what is there and ours goes, but for data and what others need.
func (d *departure) sortEntries() {
	for _, entry := range d.request.Inventory.Objects {
		o := d.survey.find(entry.Ref)
		if o == nil {
			if err := d.survey.unread[entry.Ref.GroupKind()]; err != nil {
				d.keep(entry.Ref, true, "it cannot be read: %v", err)
			}
			continue
		}
		kind := entry.Ref.GroupKind()
		name, shared := d.shared[entry.Ref.Identity()]
		switch {
		case shared:
			d.keep(entry.Ref, false, "it is part of the installation %q as well", name)
		case kind == kube.NamespaceKind:
			d.consider(entry, o)
		case theirs(o, entry):
			d.keep(entry.Ref, false, "somebody else made it anew")
		case holdsData(kind) && !d.request.DeleteData:
			d.keep(entry.Ref, true, "it holds data")
		case kind == kube.CustomResourceDefinitionKind: // judged once it is known which of its objects go
			if made, known := d.survey.definition(o.GetName()); known {
				d.ours[made.GroupKind] = true
			}
		default:
			d.take(phaseOf(kind), o)
		}
	}
}

// consider takes in a namespace: whether it goes is judged once it is known what in it stays.
func (d *departure) consider(entry inventory.Entry, o *unstructured.Unstructured) {
	switch ref := entry.Ref; {
	case slices.Contains([]string{"default", "kube-system", "kube-public", "kube-node-lease"}, ref.Name):
	case userSpace(o) && !d.request.DeleteData:
		d.keep(ref, true, "it is a user's")
	case userSpace(o): // goes with its Profile
	case entry.Found || plan.MadeBefore(o):
		d.keep(ref, false, "it was there before the install")
		d.removal.bare = append(d.removal.bare, o)
	default:
		d.spaces[ref.Name] = true
	}
}

func holdsData(kind schema.GroupKind) bool {
	return kind == kube.PersistentVolumeClaimKind || kind == kube.PersistentVolumeKind || kind == profileKind
}

// theirs tells whether somebody made an object anew after it was installed, or before an install came to it. An
// object of a name alone has no fields to own: it is taken for the one that was installed.
func theirs(o *unstructured.Unstructured, entry inventory.Entry) bool {
	byUs := slices.ContainsFunc(o.GetManagedFields(), func(f plan.ManagedFields) bool { return strings.HasPrefix(f.Manager, inventory.Manager) })
	return !byUs && entry.Fields != "none" && (entry.Fields != "" || len(o.GetManagedFields()) > 0)
}

// goes tells whether an object goes: by itself, or because everything that owns it does or is gone already.
func (d *departure) goes(o *unstructured.Unstructured) bool {
	uid := o.GetUID()
	switch {
	case d.going[uid]:
		return true
	case d.asked[uid] || len(o.GetOwnerReferences()) == 0:
		return false
	}
	d.asked[uid] = true
	defer delete(d.asked, uid)
	for _, ref := range o.GetOwnerReferences() {
		kind := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
		owner := d.survey.uids[ref.UID]
		if owner == nil && d.survey.unread[kind] != nil || owner != nil && !d.goes(owner) {
			return false
		}
	}
	return true
}

// nameSome lists objects in a sentence.
func nameSome(objects []*unstructured.Unstructured) string {
	return text.Names(objects, 5, func(o *unstructured.Unstructured) string { return cluster.RefOf(o).String() })
}
