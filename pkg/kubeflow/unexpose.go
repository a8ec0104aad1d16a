package kubeflow

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

// An UnexposePlan is what reverts everything that expose created and changed.
type UnexposePlan struct {
	Changes []cluster.Change

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
	return &UnexposePlan{Changes: expose.PlanRemoval(made), client: client}, nil
}

// Apply reverts, and waits until Azure has released the address as well; a timeout of 0 does not wait. removed is called for each
// change that is done; it may be nil.
func (p *UnexposePlan) Apply(ctx context.Context, timeout time.Duration, removed func(cluster.Change)) error {
	return expose.Remove(ctx, p.client, p.Changes, expose.Removal{Timeout: timeout, Removed: removed})
}

// DryRun lets the server check the changes. Nothing is changed.
func (p *UnexposePlan) DryRun(ctx context.Context) error {
	return expose.Remove(ctx, p.client, p.Changes, expose.Removal{DryRun: true})
}
