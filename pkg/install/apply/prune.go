package apply

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// prune deletes installed objects that are no longer wanted. It deletes only what an install applied: an object of the same
// name that another client recreated stays.
func prune(ctx context.Context, client *cluster.Client, p *plan.Plan, result *Result, observe func(events.Event)) error {
	view := client.View()
	for _, ref := range p.Prune {
		live, err := view.Get(ctx, ref)
		if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return err
		}
		if !plan.ManagedByInstall(live) {
			continue
		}
		if err := remove(ctx, client, live); err != nil {
			return err
		}
		result.Pruned = append(result.Pruned, ref)
		observe(events.ObjectPruned{Ref: ref})
	}
	for _, left := range p.LeftOvers {
		if err := remove(ctx, client, left.Live); err != nil {
			return err
		}
		result.Pruned = append(result.Pruned, left.Ref)
		observe(events.ObjectPruned{Ref: left.Ref})
	}
	for _, ref := range p.Keep {
		result.Kept = append(result.Kept, ref)
		observe(events.ObjectKept{Ref: ref})
	}
	return nil
}

// remove deletes an object. It is no error if the object is gone or was recreated.
func remove(ctx context.Context, client *cluster.Client, o *unstructured.Unstructured) error {
	_, err := Retry(ctx, func() (*unstructured.Unstructured, error) {
		_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: inventory.Manager})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			err = nil
		}
		return nil, err
	})
	return err
}
