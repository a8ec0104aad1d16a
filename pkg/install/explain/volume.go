package explain

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// whyVolume explains why a pod's PVC prevents it from being scheduled, "" when it does not.
func whyVolume(ctx context.Context, view cluster.View, ref cluster.Ref) string {
	claim, err := view.Get(ctx, ref)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Sprintf("PersistentVolumeClaim %s does not exist", ref.Name)
	case err != nil:
		return ""
	}
	why := whyClaim(ctx, view, claim)
	if why == "" {
		return ""
	}
	return fmt.Sprintf("PersistentVolumeClaim %s %s", ref.Name, why)
}

// whyClaim explains why a PVC is not bound. A PVC that waits for its first consumer does not block anything.
func whyClaim(ctx context.Context, view cluster.View, claim *unstructured.Unstructured) string {
	if kube.Text(claim.Object, "status", "phase") == "Bound" {
		return ""
	}
	classes, err := view.List(ctx, kube.StorageClassKind, cluster.Scope{})
	if err != nil {
		return withDetail("is not bound", lastWarning(ctx, view, claim))
	}
	name := kube.Text(claim.Object, "spec", "storageClassName")
	_, named := kube.Map(claim.Object, "spec")["storageClassName"]
	at := slices.IndexFunc(classes, func(c *unstructured.Unstructured) bool {
		return named && c.GetName() == name || !named && c.GetAnnotations()["storageclass.kubernetes.io/is-default-class"] == "true"
	})
	switch {
	case at < 0 && !named:
		return "is not bound: the cluster has no default StorageClass"
	case at < 0 && name != "":
		return fmt.Sprintf("is not bound: there is no StorageClass %s", name)
	case at >= 0 && kube.Text(classes[at].Object, "volumeBindingMode") == "WaitForFirstConsumer" && claim.GetAnnotations()["volume.kubernetes.io/selected-node"] == "":
		return ""
	}
	return withDetail("is not bound", lastWarning(ctx, view, claim))
}
