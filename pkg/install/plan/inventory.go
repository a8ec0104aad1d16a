package plan

import (
	"cmp"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// InitialInventory is the record before the first write: have ∪ want. What is known of objects that are about to be written is
// forgotten: until they are written again nobody can say what state they are in.
func (p *Plan) InitialInventory() *inventory.Inventory {
	return p.NewInventory(func(g Gated, recorded inventory.Entry) inventory.Entry {
		if g.Unchanged || recorded.Applied == g.Digest {
			return recorded
		}
		return inventory.Entry{}
	}, slices.Concat(p.Prune, p.Keep))
}

// NewInventory returns the inventory that lists the plan's objects, as entry tells of each, some besides, and all that the plan
// is not about. A partial plan leaves the release that the whole is of, and each object to the component that brought it.
func (p *Plan) NewInventory(entry func(Gated, inventory.Entry) inventory.Entry, besides []cluster.Ref) *inventory.Inventory {
	recorded := p.Have.Entries()
	inv := &inventory.Inventory{Name: p.Name, Release: p.Release, Source: p.Pins, Namespace: p.InventoryNamespace}
	if p.Have != nil {
		inv.Live = p.Have.Live
	}
	if p.Request.Partial && p.Have != nil && p.Have.Release != "" {
		inv.Release, inv.Source = p.Have.Release, joinPins(p.Have.Source, p.Pins)
	}
	for _, g := range p.Objects {
		before := recorded[g.Ref().Identity()]
		e := entry(g, before)
		e.Ref, e.Component, e.PreExisting = g.Ref(), g.Stage, g.preExisting
		if before.Component != "" && !p.Request.covers(before.Component) {
			e.Component = before.Component
		}
		inv.Objects = append(inv.Objects, e)
	}
	for _, ref := range besides {
		before := recorded[ref.Identity()] // it is as it was left, or it is going
		inv.Objects = append(inv.Objects, inventory.Entry{Ref: ref, Component: before.Component, Applied: before.Applied, Fields: before.Fields})
	}
	inv.Objects = append(inv.Objects, p.untouched...)
	slices.SortFunc(inv.Objects, func(a, b inventory.Entry) int {
		return cmp.Or(byRef(a.Ref, b.Ref), cmp.Compare(a.Component, b.Component))
	})
	return inv
}

// byRef orders a record, so that it reads the same whatever was installed first.
func byRef(a, b cluster.Ref) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// joinPins adds what a partial install was made from to what the whole was.
func joinPins(have, more []release.Pin) []release.Pin {
	out := slices.Clone(have)
	for _, pin := range more {
		if !slices.ContainsFunc(out, func(p release.Pin) bool { return p.URL == pin.URL }) {
			out = append(out, pin)
		}
	}
	return out
}

// InventoryUpToDate tells whether the cluster's record says already what this plan would write into it.
func (p *Plan) InventoryUpToDate() bool {
	want, err := p.InitialInventory().Encode()
	return err == nil && p.Have != nil && inventory.SameData(p.Have.Live, want)
}

// inventoryNamespace chooses the namespace that keeps the record: where it is already, else kubeflow, else where most objects are.
func inventoryNamespace(all []*desired, have *inventory.Inventory) string {
	if have != nil && have.Namespace != "" {
		return have.Namespace
	}
	count := map[string]int{}
	home := "default"
	for _, w := range all {
		ns := w.object.GetNamespace()
		if ns == "kubeflow" || w.ref.GroupKind() == kube.NamespaceKind && w.ref.Name == "kubeflow" {
			return "kubeflow"
		}
		if ns != "" {
			if count[ns]++; count[ns] > count[home] {
				home = ns
			}
		}
	}
	return home
}
