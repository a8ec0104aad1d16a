package expose

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

var removeMethod = exposeMethod{
	Method: expose.Method{Name: "remove", Flag: "--remove", Summary: "remove what expose created, and nothing else"},
	run:    (*exposeOptions).runRemove, shared: []string{"dry-run"}, undoes: true,
}

// runRemove removes what expose created, even if there is no gateway, and shows what is still reachable.
func (o *exposeOptions) runRemove(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	plan, err := kubeflow.PrepareUnexpose(ctx, c)
	if err != nil {
		return err
	}
	changes := plan.Changes
	result.Describe(changes)
	s := o.Screen()
	for _, ref := range plan.Foreign {
		s.Say("%s stays: it has the labels of expose, but the cluster does not note that this program wrote them.", ref)
	}
	if len(changes) == 0 {
		s.Say("Nothing to remove: expose has created nothing on this cluster.")
	} else {
		s.Removal(changes, c.Context, c.Server())
		if o.dryRun != "none" {
			result.DryRun = true
		} else if err := o.Agree(ctx, o.yes, "Remove these objects and settings?", "Confirm with --yes, or preview with --dry-run"); err != nil {
			return err
		}
	}
	if err := o.apply(ctx, plan); err != nil {
		return err
	}
	if result.DryRun {
		s.Say("%s", dryRunResult[o.dryRun])
	}
	return o.showRemaining(ctx, c, result)
}

// apply executes the plan, and waits until Azure has released the address.
func (o *exposeOptions) apply(ctx context.Context, plan *kubeflow.UnexposePlan) error {
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
	return plan.Apply(ctx, kubeflow.UnexposeApplyOptions{Timeout: timeout, Notify: o.Notify, Removed: func(change cluster.Change) {
		done := "Reverted"
		if change.Verb == cluster.Delete {
			done = "Deleted"
		}
		o.Screen().Say("%s: %s", done, change.Ref())
	}})
}

// showRemaining shows how the dashboard can still be reached. Without a gateway there is nothing to reach.
func (o *exposeOptions) showRemaining(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
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
