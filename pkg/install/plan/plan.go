package plan

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A Plan is what an install will do. Making one touches nothing.
type Plan struct {
	Name    string        `json:"name"`
	Release string        `json:"release,omitempty"`
	Pins    []release.Pin `json:"pins,omitempty"`
	Objects []Gated       `json:"objects"`
	Prune   []cluster.Ref `json:"prune,omitempty"`  // was installed and is no longer wanted
	Keep    []cluster.Ref `json:"keep,omitempty"`   // the same, but holds data or other people's objects: never deleted unasked
	Cycles  []Cycle       `json:"cycles,omitempty"` // webhooks that would have waited for each other, and do not

	LeftOvers []LeftOver `json:"leftOvers,omitempty"` // what older releases left behind and this one cannot do with

	Request            Request              `json:"-"`
	Have               *inventory.Inventory `json:"-"`
	untouched          []inventory.Entry    `json:"-"` // installed, and of components that this plan is not about
	InventoryNamespace string               `json:"-"` // the namespace that the inventory is kept in
}

// A Gated object is applied as soon as its gates are open.
type Gated struct {
	Stage     string                     `json:"stage"` // the component it belongs to
	Object    *unstructured.Unstructured `json:"object"`
	Gates     []Gate                     `json:"gates,omitempty"`
	Unchanged bool                       `json:"unchanged,omitempty"` // the cluster has it already, as wanted and as this program left it
	Adopted   bool                       `json:"adopted,omitempty"`   // the cluster has it already, and this program never wrote it

	Digest           string                     `json:"-"` // of the object as rendered
	Version          string                     `json:"-"` // resourceVersion on the cluster; empty when it is not there
	Guarded          bool                       `json:"-"` // a webhook is asked about it, so a server error may well be that webhook's
	OpensGate        bool                       `json:"-"` // a webhook or an aggregated API that others wait for needs it
	PreviousManagers []string                   `json:"-"` // who applied an adopted object
	preExisting      bool                       `json:"-"` // a Namespace that somebody made before the first install
	Verdict          *Verdict                   `json:"-"` // what the server said to a trial, where there was one
	Replaces         *unstructured.Unstructured `json:"-"` // what has to be gone before it is applied: an object that cannot be changed in place, or is being deleted
}

// Ref names the object.
func (g Gated) Ref() cluster.Ref { return cluster.RefOf(g.Object) }

// New decides what an install does: what each object waits for, what need not be written, what has to go.
// have is what an earlier install recorded, nil when there was none.
func New(ctx context.Context, request Request, have *inventory.Inventory, view cluster.View, server Kinds) (*Plan, error) {
	kinds := newKindTable(request, server)
	all := collect(request, kinds)
	live, err := readLive(ctx, view)
	if err != nil {
		return nil, err
	}
	all = append(missingNamespaces(all, live, have), all...)
	plan := &Plan{Name: request.Name, Release: request.Release, Pins: request.Pins, Have: have, InventoryNamespace: inventoryNamespace(all, have), Request: request}
	p := newPlanner(all, live, kinds)
	for i, w := range all {
		plan.Objects = append(plan.Objects, Gated{
			Stage: w.stage, Object: w.object, Gates: p.gates[i], Digest: digest(w.object), Guarded: p.guarded[i], OpensGate: p.opensGate(i),
		})
	}
	plan.Cycles = p.cycles
	plan.decidePrune(request)
	if err := plan.compare(ctx, view); err != nil {
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

// Refs returns the names of the plan's objects.
func (p *Plan) Refs() []cluster.Ref {
	refs := make([]cluster.Ref, len(p.Objects))
	for i, g := range p.Objects {
		refs[i] = g.Ref()
	}
	return refs
}

// Writes returns how many objects a Run of the plan sends to the server, deletions included.
func (p *Plan) Writes() int {
	n := len(p.Prune) + len(p.LeftOvers)
	for _, g := range p.Objects {
		if !g.Unchanged {
			n++
		}
	}
	return n
}
