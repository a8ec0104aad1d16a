package plan

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A Plan is what an install will do. Making one changes nothing.
type Plan struct {
	Name    string        `json:"name"`
	Release string        `json:"release,omitempty"`
	Pins    []release.Pin `json:"pins,omitempty"`
	Objects []Gated       `json:"objects"`
	Prune   []cluster.Ref `json:"prune,omitempty"`   // installed and no longer wanted
	Keep    []cluster.Ref `json:"keep,omitempty"`    // the same, but of a retained kind: never deleted by an install
	Foreign []cluster.Ref `json:"foreign,omitempty"` // the same, but not written by this program
	Cycles  []Cycle       `json:"cycles,omitempty"`  // objects that would have waited for each other

	LeftOvers []LeftOver `json:"leftOvers,omitempty"` // objects of older releases that conflict with this one

	Request   Request              `json:"-"`
	Have      *inventory.Inventory `json:"-"`
	untouched []inventory.Entry    `json:"-"` // installed, of components that this plan does not cover
	order     order                // what the objects wait for
}

// A Gated is an object that is applied as soon as its gates are open.
type Gated struct {
	Stage     string                     `json:"stage"` // the component it belongs to
	Object    *unstructured.Unstructured `json:"object"`
	Gates     []Gate                     `json:"gates,omitempty"`
	Unchanged bool                       `json:"unchanged,omitempty"` // it exists as wanted, and as an install applied it
	Adopted   bool                       `json:"adopted,omitempty"`   // it exists, and no install ever applied it

	Digest           string                     `json:"-"` // of the object as rendered
	Version          string                     `json:"-"` // resourceVersion on the cluster; empty if it does not exist
	Guarded          bool                       `json:"-"` // a webhook matches it, so a server error may be that webhook's
	OpensGate        bool                       `json:"-"` // a gate of other objects cannot open without it
	PreviousManagers []string                   `json:"-"` // the field managers that applied an adopted object
	KindChanges      bool                       `json:"-"` // the plan changes its CRD, so the server cannot judge it before
	Migration        *Migration                 `json:"-"` // what has to happen before an existing CRD is replaced
	preExisting      bool                       `json:"-"` // a Namespace that existed before the first install
	Verdict          *Verdict                   `json:"-"` // the result of the server's dry run, if there was one
	Replaces         *unstructured.Unstructured `json:"-"` // the object to delete first: one that cannot be changed in place, or is being deleted
}

// Ref names the object.
func (g Gated) Ref() cluster.Ref { return cluster.RefOf(g.Object) }

// New decides what an install does: the gates of each object, which objects are unchanged, and which are deleted.
// have is the inventory of an earlier install, nil if there was none.
func New(ctx context.Context, request Request, have *inventory.Inventory, view cluster.View, server Kinds) (*Plan, error) {
	kinds := newKindTable(request, server)
	all := collect(request, kinds)
	live, err := readLive(ctx, view)
	if err != nil {
		return nil, err
	}
	all = append(missingNamespaces(all, live, have), all...)
	plan := &Plan{Name: request.Name, Release: request.Release, Pins: request.Pins, Have: have, Request: request}
	p := newPlanner(all, live, kinds)
	for i, w := range all {
		plan.Objects = append(plan.Objects, Gated{
			Stage: w.stage, Object: w.object, Gates: p.gates[i], Digest: digest(w.object), Guarded: p.guarded[i], OpensGate: p.opensGate(i),
		})
	}
	plan.Cycles, plan.order = p.cycles, p.order()
	plan.decidePrune(request)
	if err := plan.compare(ctx, view); err != nil {
		return nil, err
	}
	plan.markKindChanges()
	if err := plan.dropForeign(ctx, view); err != nil {
		return nil, err
	}
	if err := plan.findLeftOvers(ctx, view, request); err != nil {
		return nil, err
	}
	live.omitControllerFields(plan.Objects)
	return plan, nil
}

// Stages returns the names of the plan's stages, in order.
func (p *Plan) Stages() []string {
	var names []string
	for _, g := range p.Objects {
		if !slices.Contains(names, g.Stage) {
			names = append(names, g.Stage)
		}
	}
	return names
}

// Refs returns references to the plan's objects.
func (p *Plan) Refs() []cluster.Ref {
	refs := make([]cluster.Ref, len(p.Objects))
	for i, g := range p.Objects {
		refs[i] = g.Ref()
	}
	return refs
}

// Writes returns the number of objects that an install applies or deletes.
func (p *Plan) Writes() int {
	n := len(p.Prune) + len(p.LeftOvers)
	for _, g := range p.Objects {
		if !g.Unchanged {
			n++
		}
	}
	return n
}
