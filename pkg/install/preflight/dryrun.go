package preflight

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// DryRun sends a dry-run request for every object of a plan that the server can judge, and changes nothing.
func DryRun(ctx context.Context, client *cluster.Client, p *plan.Plan) ([]plan.Verdict, error) {
	err := dryRunObjects(p, ctx, client, func(plan.Gated) bool { return true })
	if err != nil {
		return nil, err
	}
	verdicts := make([]plan.Verdict, len(p.Objects))
	for i, g := range p.Objects {
		verdicts[i] = *g.Verdict
	}
	view := client.View()
	for _, ref := range p.Prune {
		v := plan.Verdict{Ref: ref, Component: p.ComponentOf(ref), Action: plan.Delete, Reason: "no longer wanted"}
		if live, err := view.Get(ctx, ref); err == nil {
			v.Diff = cluster.Diff(live, nil)
		}
		verdicts = append(verdicts, v)
	}
	for _, left := range p.LeftOvers {
		verdicts = append(verdicts, plan.Verdict{Ref: left.Ref, Action: plan.Delete, Reason: "left behind by an older release: " + left.Why, Diff: cluster.Diff(left.Live, nil)})
	}
	for _, ref := range p.Keep {
		verdicts = append(verdicts, plan.Verdict{Ref: ref, Component: p.ComponentOf(ref), Action: plan.Keep, Reason: plan.RetainedReason})
	}
	return verdicts, nil
}

// dryRunObjects sends a dry-run request for each object that which selects and that has no verdict yet.
func dryRunObjects(p *plan.Plan, ctx context.Context, client *cluster.Client, which func(plan.Gated) bool) error {
	view := client.View()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(plan.MaxParallel)
	for i := range p.Objects {
		g := &p.Objects[i] // each element is used by one goroutine only
		if g.Verdict != nil || !which(*g) {
			continue
		}
		group.Go(func() error {
			verdict, err := verdictFor(ctx, client, view, *g)
			if err != nil {
				return err
			}
			g.Migration = verdict.Migration
			if g.Verdict = &verdict; verdict.Action == plan.Recreate {
				g.Replaces, err = view.Get(ctx, g.Ref())
			}
			return err
		})
	}
	return group.Wait()
}
