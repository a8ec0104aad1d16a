package apply

import (
	"cmp"
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// hold takes the cluster for a plan that writes something, and makes sure that the plan is still true: it was made, and
// perhaps agreed to, while others were free to work.
func holdFor(p *plan.Plan, ctx context.Context, client *cluster.Client) (context.Context, func(), error) {
	if p.Writes() == 0 && p.Recorded() {
		return ctx, func() {}, nil
	}
	doing := "installing " + subjectOf(p)
	held, release, err := lock.HoldIn(ctx, client, lock.LeaseHome, doing)
	if apierrors.IsForbidden(err) && p.Home != lock.LeaseHome { // somebody who has a namespace, and not the cluster
		held, release, err = lock.HoldIn(ctx, client, p.Home, doing)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := stillTrue(p, held, client); err != nil {
		release()
		return nil, nil, err
	}
	return held, release, nil
}

func subjectOf(p *plan.Plan) string {
	if p.Release != "" {
		return "Kubeflow " + p.Release
	}
	return cmp.Or(p.Name, "manifests")
}

// stillTrue looks whether the record that the plan was made from is still the one in the cluster.
func stillTrue(p *plan.Plan, ctx context.Context, client *cluster.Client) error {
	all, err := inventory.Inventories(ctx, client.View())
	if err != nil {
		return err
	}
	if Revision(inventory.Find(all, p.Name)) == Revision(p.Have) {
		return nil
	}
	return &cluster.Problem{What: "somebody else installed or removed " + subjectOf(p) + " while this install was being prepared",
		Next: "Nothing was changed. Look again with --diff, or run the same command again"}
}

func Revision(record *inventory.Inventory) string {
	if record == nil || record.Live == nil {
		return ""
	}
	return string(record.Live.GetUID()) + record.Live.GetResourceVersion()
}
