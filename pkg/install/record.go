package install

import (
	"cmp"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
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

// record returns the inventory that lists the plan's objects, as entry tells of each, some besides, and all that the plan
// is not about. A partial plan leaves the release that the whole is of, and each object to the component that brought it.
func (p *Plan) record(entry func(Gated, Entry) Entry, besides []cluster.Ref) *Inventory {
	recorded := p.have.entries()
	inventory := &Inventory{Name: p.Name, Release: p.Release, Source: p.Pins, home: p.home}
	if p.have != nil {
		inventory.live = p.have.live
	}
	if p.request.Partial && p.have != nil && p.have.Release != "" {
		inventory.Release, inventory.Source = p.have.Release, joinPins(p.have.Source, p.Pins)
	}
	for _, g := range p.Objects {
		before := recorded[g.Ref().Identity()]
		e := entry(g, before)
		e.Ref, e.Component, e.Found = g.Ref(), g.Stage, g.found
		if before.Component != "" && !p.request.about(before.Component) {
			e.Component = before.Component
		}
		inventory.Objects = append(inventory.Objects, e)
	}
	for _, ref := range besides {
		before := recorded[ref.Identity()] // it is as it was left, or it is going
		inventory.Objects = append(inventory.Objects, Entry{Ref: ref, Component: before.Component, Applied: before.Applied, Fields: before.Fields})
	}
	inventory.Objects = append(inventory.Objects, p.rest...)
	slices.SortFunc(inventory.Objects, func(a, b Entry) int { return cmp.Or(byRef(a.Ref, b.Ref), cmp.Compare(a.Component, b.Component)) })
	return inventory
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
