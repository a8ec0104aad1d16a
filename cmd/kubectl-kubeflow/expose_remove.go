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
		if err := o.delete(ctx, c, changes); err != nil {
			return err
		}
	}
	if result.DryRun {
		s.Say("%s", dryRuns[o.dryRun])
	}
	return o.left(ctx, c, result)
}

// delete deletes, and waits until Azure has let go as well.
func (o *exposeOptions) delete(ctx context.Context, c *cluster.Client, changes []cluster.Change) error {
	waiting, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	for _, change := range changes {
		err := expose.Apply(ctx, c, []cluster.Change{change}, o.dryRun == "server")
		if apierrors.IsConflict(err) { // somebody changed it meanwhile: their change stays
			err = o.again(ctx, c, change)
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	if !o.wait || o.dryRun != "none" {
		return nil
	}
	for _, change := range changes {
		if err := expose.AwaitGone(waiting, c, change.Ref()); err != nil {
			return err
		}
		o.screen().Say("%s: %s", map[bool]string{true: "Gone", false: "Taken back"}[change.Verb == cluster.Delete], change.Ref())
	}
	return nil
}

// again takes one change back as the object is now.
func (o *exposeOptions) again(ctx context.Context, c *cluster.Client, change cluster.Change) error {
	made, err := expose.LookMade(ctx, c.View())
	if err != nil {
		return err
	}
	for _, now := range expose.PlanRemoval(made) {
		if now.Ref() == change.Ref() {
			return expose.Apply(ctx, c, []cluster.Change{now}, o.dryRun == "server")
		}
	}
	return nil
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
