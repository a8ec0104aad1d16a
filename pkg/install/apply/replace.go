package apply

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// bring takes one object to the cluster: it makes way for it, takes it over, and applies it. Cut off in between and done
// again, it comes to the same end.
func bring(ctx context.Context, client *cluster.Client, g plan.Gated) (*unstructured.Unstructured, error) {
	if g.Clear != nil {
		if err := makeWay(ctx, client, g); err != nil {
			return nil, err
		}
	}
	if len(g.Makers) > 0 && !plan.Keeper(g.Ref()) {
		if err := plan.TakeOver(ctx, client, g.Ref()); err != nil {
			return nil, err
		}
	}
	return client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: g.Object}, cluster.Options{Manager: inventory.Manager, Force: true})
}

// makeWay deletes what is in an object's place, and waits until it is gone. Of another object of that name, which somebody
// has made since, it lets be.
func makeWay(ctx context.Context, client *cluster.Client, g plan.Gated) error {
	for attempt := 0; ; attempt++ {
		live, err := client.View().Get(ctx, g.Ref())
		if apierrors.IsNotFound(err) || err == nil && live.GetUID() != g.Clear.GetUID() {
			return nil
		}
		if err == nil && live.GetDeletionTimestamp() == nil && g.Verdict != nil {
			_, err = client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: g.Clear}, cluster.Options{Manager: inventory.Manager, Whole: g.Verdict.How.Whole, Orphan: g.Verdict.How.Orphan})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err := kube.Sleep(ctx, min(kube.Backoff(attempt), lock.LeaseWatched)); err != nil {
			return err
		}
	}
}
