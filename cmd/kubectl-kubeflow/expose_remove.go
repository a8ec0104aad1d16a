package main

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

// runRemove takes back what expose made, also where no gateway is left, and says what is still reachable.
func (o *exposeOptions) runRemove(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	result.Method = "remove"
	made, err := expose.LookMade(ctx, c.View())
	if apierrors.IsForbidden(err) { // not in every namespace: then where the gateway is
		var t expose.Target
		if t, err = expose.Look(ctx, c.View()); err == nil {
			made = t.Made
		}
	}
	if err != nil {
		return err
	}
	changes := expose.PlanRemoval(made)
	result.Describe(changes)
	s := o.screen()
	if len(changes) == 0 {
		s.Say("Nothing to remove: nothing here was made by expose.")
	} else {
		s.Removal(changes, c.Context, c.Server())
		if o.dryRun != "none" {
			result.DryRun = true
		} else if err := o.mayChange(ctx, "Remove them?"); err != nil {
			return err
		}
	}
	if o.dryRun != "client" {
		if err := o.takeBack(ctx, c, changes); err != nil {
			return err
		}
	}
	if result.DryRun {
		s.Say("%s", dryRuns[o.dryRun])
	}
	return o.left(ctx, c, result)
}

// takeBack takes back, and waits until Azure has let go as well.
func (o *exposeOptions) takeBack(ctx context.Context, c *cluster.Client, changes []cluster.Change) error {
	removal := expose.Removal{DryRun: o.dryRun == "server", Gone: func(change cluster.Change) {
		o.screen().Say("%s: %s", map[bool]string{true: "Gone", false: "Taken back"}[change.Verb == cluster.Delete], change.Ref())
	}}
	if o.wait {
		removal.Timeout = o.timeout
	}
	return expose.TakeBack(ctx, c, changes, removal)
}

// left says how the dashboard can still be reached. Without a gateway there is nothing to reach.
func (o *exposeOptions) left(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	t, err := expose.Look(ctx, c.View())
	if err != nil {
		return ctx.Err()
	}
	result.Found(t)
	if !o.documented() && !result.DryRun {
		o.screen().Left(result.Endpoints)
	}
	return nil
}
