package kubeflow

import (
	"cmp"
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
)

// An UnexposePlan is what reverts everything that expose created and changed.
type UnexposePlan struct {
	Changes []cluster.Change
	Foreign []cluster.Ref // what has the labels of expose, but is not known to be its: it stays

	client *cluster.Client
}

// PrepareUnexpose decides what to revert, even without a gateway. It changes nothing.
func PrepareUnexpose(ctx context.Context, client *cluster.Client) (*UnexposePlan, error) {
	made, err := expose.ReadInventory(ctx, client.View())
	if apierrors.IsForbidden(err) { // not allowed in every namespace: try the one of the gateway
		var t expose.Target
		if t, err = expose.Read(ctx, client.View()); err == nil {
			made = t.Inventory
		}
	}
	if err != nil {
		return nil, err
	}
	return &UnexposePlan{Changes: expose.PlanRemoval(made), Foreign: made.Foreign, client: client}, nil
}

// UnexposeApplyOptions say how an UnexposePlan is carried out.
type UnexposeApplyOptions struct {
	Timeout time.Duration        // how long to wait until Azure has released the address as well; 0 does not wait
	Removed func(cluster.Change) // called for each change that is done; may be nil
	Notify  Notify
}

// Apply reverts. It holds the cluster's Lease.
func (p *UnexposePlan) Apply(ctx context.Context, o UnexposeApplyOptions) error {
	if len(p.Changes) == 0 {
		return nil
	}
	held, release, err := lock.Acquire(ctx, p.client, "removing the address of the dashboard", func(e lock.Event) { o.Notify.say("%s", e) })
	if err != nil {
		return err
	}
	defer release()
	err = expose.Remove(held, p.client, p.Changes, expose.Removal{Timeout: o.Timeout, Removed: o.Removed})
	return cmp.Or(lock.Lost(held), err)
}

// DryRun lets the server check the changes. Nothing is changed.
func (p *UnexposePlan) DryRun(ctx context.Context) error {
	return expose.Remove(ctx, p.client, p.Changes, expose.Removal{DryRun: true})
}
