package expose

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

var removeMethod = exposeMethod{
	Method: expose.Method{Name: "remove", Flag: "--remove", Summary: "take back what expose made, and nothing else"},
	run:    (*exposeOptions).runRemove, shared: []string{"dry-run"}, undoes: true,
}

// runRemove takes back what expose made, also where no gateway is left, and says what is still reachable.
func (o *exposeOptions) runRemove(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	plan, err := kubeflow.PrepareUnexpose(ctx, c)
	if err != nil {
		return err
	}
	changes := plan.Changes
	result.Describe(changes)
	s := o.Screen()
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
	if err := o.takeBack(ctx, plan); err != nil {
		return err
	}
	if result.DryRun {
		s.Say("%s", dryRan[o.dryRun])
	}
	return o.left(ctx, c, result)
}

// takeBack reverts, and waits until Azure has released the address as well.
func (o *exposeOptions) takeBack(ctx context.Context, plan *kubeflow.UnexposePlan) error {
	switch o.dryRun {
	case "client":
		return nil
	case "server":
		return plan.DryRun(ctx)
	}
	timeout := o.timeout
	if !o.wait {
		timeout = 0
	}
	return plan.Apply(ctx, timeout, func(change cluster.Change) {
		done := "Taken back"
		if change.Verb == cluster.Delete {
			done = "Gone"
		}
		o.Screen().Say("%s: %s", done, change.Ref())
	})
}

// left says how the dashboard can still be reached. Without a gateway there is nothing to reach.
func (o *exposeOptions) left(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	t, err := expose.Read(ctx, c.View())
	if err != nil {
		return ctx.Err()
	}
	result.SetTarget(t)
	if !o.documented() && !result.DryRun {
		o.Screen().Left(result.Endpoints)
	}
	return nil
}
