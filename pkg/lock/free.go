package lock

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// checkFreeFor is how long to watch a Lease to see that its holder is alive: a live holder renews more often.
const checkFreeFor = renewInterval + time.Second

// CheckFree reports early, before a plan is made, that another process holds the Lease, with the same error as [Acquire].
// It acquires nothing: where it cannot tell, Acquire will.
func CheckFree(ctx context.Context, client *cluster.Client) error {
	if trusted, err := state.Check(ctx, client.View()); err != nil || !trusted {
		return nil
	}
	leases := client.Kube.CoordinationV1().Leases(state.Namespace)
	first, err := leases.Get(ctx, LeaseName, metav1.GetOptions{})
	if err != nil || holderOf(first) == "" || ownIdentity().knowsGone(holderOf(first)) {
		return nil
	}
	for began := time.Now(); time.Since(began) < checkFreeFor; {
		if err := kube.Sleep(ctx, pollInterval); err != nil {
			return err
		}
		now, err := leases.Get(ctx, LeaseName, metav1.GetOptions{})
		switch {
		case err != nil || now.UID != first.UID || holderOf(now) != holderOf(first):
			return nil
		case now.ResourceVersion != first.ResourceVersion:
			return heldError(now)
		}
	}
	return nil
}
