package install

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Verdict is what the server says about one object without keeping it.
type Verdict struct {
	Ref       cluster.Ref `json:"object"`
	Component string      `json:"component,omitempty"`
	Action    string      `json:"action"`           // create, change, recreate, unchanged, delete, keep, unknown or refused
	Adopts    bool        `json:"adopts,omitempty"` // it is there, and this program never wrote it
	Drops     []string    `json:"drops,omitempty"`  // fields that an adopted object loses: who applied it before set them
	Reason    string      `json:"reason,omitempty"` // why it is recreated, deleted, kept, unknown or refused
	Diff      string      `json:"diff,omitempty"`   // values of Secrets are never in it

	how     remaking
	problem *cluster.Problem // of what is refused, or would be without leave to recreate
}

// The actions of a Verdict.
const (
	Create    = "create"
	Change    = "change"
	Recreate  = "recreate" // it cannot be changed in place
	Unchanged = "unchanged"
	Remove    = "delete"
	Stays     = "keep"
	Unknown   = "unknown" // its namespace or its kind is not there yet, so the server cannot say
	Rejected  = "refused"
)

// DryRun asks the server about every object of a plan that it can say something about, and changes nothing.
func DryRun(ctx context.Context, client *cluster.Client, plan *Plan) ([]Verdict, error) {
	err := plan.try(ctx, client, func(Gated) bool { return true })
	if err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, len(plan.Objects))
	for i, g := range plan.Objects {
		verdicts[i] = *g.verdict
	}
	view := client.View()
	for _, ref := range plan.Prune {
		v := Verdict{Ref: ref, Component: plan.componentOf(ref), Action: Remove, Reason: "no longer wanted"}
		if live, err := view.Get(ctx, ref); err == nil {
			v.Diff = cluster.Diff(live, nil)
		}
		verdicts = append(verdicts, v)
	}
	for _, left := range plan.LeftOvers {
		verdicts = append(verdicts, Verdict{Ref: left.Ref, Action: Remove, Reason: "left behind by an older release: " + left.Why, Diff: cluster.Diff(left.live, nil)})
	}
	for _, ref := range plan.Keep {
		verdicts = append(verdicts, Verdict{Ref: ref, Component: plan.componentOf(ref), Action: Stays, Reason: mayHold})
	}
	return verdicts, nil
}

// componentOf returns the component that a recorded object came with.
func (p *Plan) componentOf(ref cluster.Ref) string {
	at := slices.IndexFunc(p.have.Objects, func(e Entry) bool { return e.Ref == ref })
	if at < 0 {
		return ""
	}
	return p.have.Objects[at].Component
}

// try asks the server about the objects that which chooses, unless it was asked already.
func (p *Plan) try(ctx context.Context, client *cluster.Client, which func(Gated) bool) error {
	view := client.View()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookers)
	for i := range p.Objects {
		g := &p.Objects[i] // each is one goroutine's own
		if g.verdict != nil || !which(*g) {
			continue
		}
		group.Go(func() error {
			verdict, err := judge(ctx, client, view, *g)
			if err != nil {
				return err
			}
			if g.verdict = &verdict; verdict.Action == Recreate {
				g.clear, err = view.Get(ctx, g.Ref())
			}
			return err
		})
	}
	return group.Wait()
}
