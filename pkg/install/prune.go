package install

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// prune deletes what an earlier install brought and this one does not want. Only what this program applied goes:
// an object of the same name that somebody made anew stays.
func prune(ctx context.Context, client *cluster.Client, plan *Plan, result *Result, observe func(Event)) error {
	view := client.View()
	for _, ref := range plan.Prune {
		live, err := view.Get(ctx, ref)
		if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return err
		}
		if !appliedByUs(live) {
			continue
		}
		if err := remove(ctx, client, live); err != nil {
			return err
		}
		result.Pruned = append(result.Pruned, ref)
		observe(ObjectPruned{Ref: ref})
	}
	for _, left := range plan.LeftOvers {
		if err := remove(ctx, client, left.live); err != nil {
			return err
		}
		result.Pruned = append(result.Pruned, left.Ref)
		observe(ObjectPruned{Ref: left.Ref})
	}
	for _, ref := range plan.Keep {
		result.Kept = append(result.Kept, ref)
		observe(ObjectKept{Ref: ref})
	}
	return nil
}

// remove deletes an object. One that is gone, or that somebody has made anew since, is no error.
func remove(ctx context.Context, client *cluster.Client, o *object) error {
	_, err := retry(ctx, func() (*object, error) {
		_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: Manager})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			err = nil
		}
		return nil, err
	})
	return err
}

func appliedByUs(o *object) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(entry managedFields) bool { return entry.Manager == Manager })
}
