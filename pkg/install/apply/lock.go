package apply

import (
	"cmp"
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// hold takes the cluster for a plan that writes something, and makes sure that the plan is still true: it was made, and
// perhaps agreed to, while others were free to work.
func acquireLock(ctx context.Context, client *cluster.Client, p *plan.Plan, locked bool) (context.Context, func(), error) {
	if locked || p.Writes() == 0 && p.InventoryUpToDate() {
		return ctx, func() {}, nil
	}
	doing := "installing " + titleOf(p)
	held, release, err := lock.AcquireIn(ctx, client, lock.LeaseNamespace, doing)
	if apierrors.IsForbidden(err) && p.InventoryNamespace != lock.LeaseNamespace { // somebody who has a namespace, and not the cluster
		held, release, err = lock.AcquireIn(ctx, client, p.InventoryNamespace, doing)
	}
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

// checkUnchanged looks whether the record that the plan was made from is still the one in the cluster.
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
