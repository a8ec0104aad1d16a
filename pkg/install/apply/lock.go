package apply

import (
	"cmp"
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// acquireLock acquires the Lease for a plan that changes something, and checks that the inventory has not changed since the
// plan was made, which happened without the Lease.
func acquireLock(ctx context.Context, client *cluster.Client, p *plan.Plan, locked bool, observe func(events.Event)) (context.Context, func(), error) {
	if locked || p.Writes() == 0 && p.InventoryUpToDate() {
		return ctx, func() {}, nil
	}
	held, release, err := lock.Acquire(ctx, client, "installing "+titleOf(p), func(e lock.Event) { observe(events.Note{Text: e.String()}) })
	if err != nil {
		return nil, nil, err
	}
	if err := checkUnchanged(held, client, p); err != nil {
		release()
		return nil, nil, err
	}
	return held, release, nil
}

func titleOf(p *plan.Plan) string {
	if p.Release != "" {
		return "Kubeflow " + p.Release
	}
	return cmp.Or(p.Name, "manifests")
}

// checkUnchanged fails if the inventory has changed since the plan was made.
func checkUnchanged(ctx context.Context, client *cluster.Client, p *plan.Plan) error {
	all, err := inventory.List(ctx, client.View())
	if err != nil {
		return err
	}
	if inventory.Find(all, p.Name).Revision() == p.Have.Revision() {
		return nil
	}
	return &problem.Error{What: titleOf(p) + " was installed or removed by another program while this install was being prepared",
		Next: "Nothing was changed. Preview it again with --diff, or run the same command again"}
}
