package apply

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// An inventoryRecorder keeps the stored inventory complete at every moment: during a run it lists the installed and the wanted
// objects, afterwards the installed ones.
type inventoryRecorder struct {
	client *cluster.Client
	plan   *plan.Plan
}

// start takes over the records of older versions, and stores the installed and the wanted objects.
func (b *inventoryRecorder) start(ctx context.Context) error {
	if err := inventory.TakeOver(ctx, b.client, slices.Concat(b.plan.Request.Others, []*inventory.Inventory{b.plan.Have})); err != nil {
		return err
	}
	return b.store(ctx, b.plan.InitialInventory())
}

// saveProgress stores the hashes of what an unfinished run has applied, and removes no object. It saves the next run some
// requests; if it fails, the inventory that start stored is still valid.
func (b *inventoryRecorder) saveProgress(ctx context.Context, e *engine) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	_ = b.store(ctx, b.plan.NewInventory(e.entry, slices.Concat(b.plan.Prune, b.plan.Keep)))
}

// finish stores the installed objects.
func (b *inventoryRecorder) finish(ctx context.Context, e *engine) error {
	return b.store(ctx, b.plan.NewInventory(e.entry, b.plan.Keep))
}

// store writes the inventory, unless the stored one is equal.
func (b *inventoryRecorder) store(ctx context.Context, inv *inventory.Inventory) error {
	want, err := inv.Encode()
	if err != nil || inventory.SameData(inv.Live, want) {
		return err
	}
	after, err := Retry(ctx, func() (*unstructured.Unstructured, error) {
		return b.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: want}, cluster.Options{Manager: inventory.Manager, Force: true})
	})
	if err != nil {
		return err
	}
	inv.Live = after
	b.plan.Have = inv
	return nil
}
