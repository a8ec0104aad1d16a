package lock

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// vacantWithin is how long it takes to see that a holder is alive: it renews its Lease more often.
const vacantWithin = leaseRenewed + time.Second

// Vacant says early, before a plan is made at all, that somebody is at work on a cluster: it returns the same error as
// [Hold]. It takes nothing: where it cannot tell, Hold will.
func Vacant(ctx context.Context, client *cluster.Client) error {
	return VacantIn(ctx, client, LeaseHome)
}

func VacantIn(ctx context.Context, client *cluster.Client, namespace string) error {
	leases := client.Kube.CoordinationV1().Leases(namespace)
	first, err := leases.Get(ctx, LeaseName, metav1.GetOptions{})
	if err != nil || HolderOf(first) == "" || OwnIdentity().KnowsGone(HolderOf(first)) {
		return nil
	}
	for began := time.Now(); time.Since(began) < vacantWithin; {
		if err := kube.Sleep(ctx, LeaseWatched); err != nil {
			return err
		}
		now, err := leases.Get(ctx, LeaseName, metav1.GetOptions{})
		switch {
		case err != nil || now.UID != first.UID || HolderOf(now) != HolderOf(first):
			return nil
		case now.ResourceVersion != first.ResourceVersion:
			return busy(now)
		}
	}
	return nil
}
