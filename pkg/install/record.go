package install

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// opening is the record before the first write: have ∪ want. What is known of objects that are about to be written is
// forgotten: until they are written again nobody can say what state they are in.
func (p *Plan) opening() *Inventory {
	return p.record(func(g Gated, recorded Entry) Entry {
		if g.Unchanged || recorded.Applied == g.digest {
			return recorded
		}
		return Entry{}
	}, slices.Concat(p.Prune, p.Keep))
}

// record returns the inventory that lists the plan's objects, as entry tells of each, and some besides.
func (p *Plan) record(entry func(Gated, Entry) Entry, besides []cluster.Ref) *Inventory {
	recorded := p.have.entries()
	inventory := &Inventory{Name: p.Name, Release: p.Release, Source: p.Pins, home: p.home}
	if p.have != nil {
		inventory.live = p.have.live
	}
	for _, g := range p.Objects {
		e := entry(g, recorded[g.Ref().Identity()])
		e.Ref, e.Component = g.Ref(), g.Stage
		inventory.Objects = append(inventory.Objects, e)
	}
	for _, ref := range besides {
		inventory.Objects = append(inventory.Objects, Entry{Ref: ref, Component: recorded[ref.Identity()].Component})
	}
	return inventory
}

// recorded tells whether the cluster's record says already what this plan would write into it.
func (p *Plan) recorded() bool {
	want, err := p.opening().encode()
	return err == nil && p.have != nil && sameRecord(p.have.live, want)
}

// entries returns what is recorded of each object, by its name without a version.
func (v *Inventory) entries() map[cluster.Ref]Entry {
	out := map[cluster.Ref]Entry{}
	if v != nil {
		for _, e := range v.Objects {
			out[e.Ref.Identity()] = e
		}
	}
	return out
}
