package plan

import (
	"cmp"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// InitialInventory is the inventory before anything is changed: the installed and the wanted objects. Hashes of objects that
// are about to be applied are left out, since their state is unknown until then.
func (p *Plan) InitialInventory() *inventory.Inventory {
	return p.NewInventory(func(g Gated, recorded inventory.Entry) inventory.Entry {
		if g.Unchanged || recorded.Applied == g.Digest {
			return recorded
		}
		return inventory.Entry{}
	}, slices.Concat(p.Prune, p.Keep))
}

// NewInventory returns the inventory of the plan's objects, whose hashes entry returns, of the extra objects, and of
// the objects that the plan does not cover. A partial plan keeps the installation's release and each object's component.
func (p *Plan) NewInventory(entry func(Gated, inventory.Entry) inventory.Entry, besides []cluster.Ref) *inventory.Inventory {
	recorded := p.Have.Entries()
	inv := &inventory.Inventory{Name: p.Name, Release: p.Release, Source: p.Pins}
	if p.Have != nil {
		inv.Live, inv.Old = p.Have.Live, p.Have.Old
	}
	if p.Request.Partial && p.Have != nil && p.Have.Release != "" {
		inv.Release, inv.Source = p.Have.Release, joinPins(p.Have.Source, p.Pins)
	}
	for _, g := range p.Objects {
		before := recorded[g.Ref().Identity()]
		e := entry(g, before)
		e.Ref, e.Component, e.PreExisting = g.Ref(), g.Stage, g.preExisting
		e.Replicas, e.Stopped = wantedReplicas(g.Object)
		if before.Component != "" && !p.Request.covers(before.Component) {
			e.Component = before.Component
		}
		inv.Objects = append(inv.Objects, e)
	}
	for _, ref := range besides {
		before := recorded[ref.Identity()] // unchanged, or about to be deleted
		inv.Objects = append(inv.Objects, inventory.Entry{
			Ref: ref, Component: before.Component, Applied: before.Applied, Fields: before.Fields, Replicas: before.Replicas, Stopped: before.Stopped, Owned: before.Owned,
		})
	}
	inv.Objects = append(inv.Objects, p.untouched...)
	slices.SortFunc(inv.Objects, func(a, b inventory.Entry) int {
		return cmp.Or(byRef(a.Ref, b.Ref), cmp.Compare(a.Component, b.Component))
	})
	return inv
}

// byRef orders an inventory, so that it does not depend on what was installed first.
func byRef(a, b cluster.Ref) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// joinPins adds the sources of a partial install to those of the installation.
func joinPins(have, more []release.Pin) []release.Pin {
	out := slices.Clone(have)
	for _, pin := range more {
		if !slices.ContainsFunc(out, func(p release.Pin) bool { return p.URL == pin.URL }) {
			out = append(out, pin)
		}
	}
	return out
}

// InventoryUpToDate reports whether the stored inventory already equals the one that this plan would write first.
func (p *Plan) InventoryUpToDate() bool {
	want, err := p.InitialInventory().Encode()
	return err == nil && p.Have != nil && inventory.SameData(p.Have.Live, want)
}
