package lock

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// CurrentHolder returns the process that is changing this cluster's Kubeflow now, nil if there is none or the Lease cannot be
// read or believed. A Lease that was not renewed for a long time, or whose holder is a process of this machine that has ended, counts as
// free. now is the current time.
func CurrentHolder(ctx context.Context, view cluster.View, now time.Time) (*Holder, error) {
	if trusted, err := state.Check(ctx, view); err != nil || !trusted {
		return nil, nil
	}
	lease, err := view.Get(ctx, cluster.Ref{APIVersion: "coordination.k8s.io/v1", Kind: "Lease", Namespace: state.Namespace, Name: LeaseName})
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	holder := kube.Text(lease.Object, "spec", "holderIdentity")
	if renewed := timeOf(lease, "renewTime"); holder == "" || ownIdentity().knowsGone(holder) || !renewed.IsZero() && now.Sub(renewed) > staleAfter {
		return nil, nil
	}
	return &Holder{Own: ownIdentity().is(holder), Who: parseIdentity(holder).who(), Doing: lease.GetAnnotations()[doingAnnotation], Since: timeOf(lease, "acquireTime")}, nil
}

// staleAfter is much longer than the Lease's duration, because the holder's clock may differ.
const staleAfter = 10 * time.Minute

func timeOf(lease *unstructured.Unstructured, field string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, kube.Text(lease.Object, "spec", field)) // the zero time if it is not set
	return t
}
