package apply

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// applyOne deletes the object to replace, if any, migrates what a CRD stores, transfers field ownership, and applies the object. It can be repeated after
// an interruption.
func applyOne(ctx context.Context, client *cluster.Client, g plan.Gated, say func(string)) (*unstructured.Unstructured, error) {
	if g.Replaces != nil {
		if err := deleteExisting(ctx, client, g); err != nil {
			return nil, err
		}
	}
	if g.Migration != nil {
		if err := migrate(ctx, client, g, say); err != nil {
			return nil, err
		}
	}
	if len(g.PreviousManagers) > 0 && !plan.Retained(g.Ref()) {
		if err := plan.TransferOwnership(ctx, client, g.Ref()); err != nil {
			return nil, err
		}
	}
	return client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: g.Object}, cluster.Options{Manager: inventory.Manager, Force: true})
}

// deleteExisting deletes the object to replace and waits until it is gone. It does not touch a newer object of the same name.
func deleteExisting(ctx context.Context, client *cluster.Client, g plan.Gated) error {
	for attempt := 0; ; attempt++ {
		live, err := client.View().Get(ctx, g.Ref())
		if apierrors.IsNotFound(err) || err == nil && live.GetUID() != g.Replaces.GetUID() {
			return nil
		}
		if err == nil && live.GetDeletionTimestamp() == nil && g.Verdict != nil {
			_, err = client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: g.Replaces}, cluster.Options{Manager: inventory.Manager, Whole: g.Verdict.Recreation.Whole, Orphan: g.Verdict.Recreation.Orphan})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err := kube.Sleep(ctx, min(kube.Backoff(attempt), deletionPoll)); err != nil {
			return err
		}
	}
}

// deletionPoll is the longest pause between two reads of an object that is being deleted.
const deletionPoll = 500 * time.Millisecond
