package uninstall

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// profileFinalizer is the profile controller's. It revokes what the Profile's plugins granted in a cloud, and does nothing without plugins.
const profileFinalizer = "profile-finalizer"

var profileController = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "kubeflow", Name: "profiles-deployment"}

// releaseProfile removes the finalizer of a Profile that is being deleted, where the controller that would remove it was uninstalled
// before and has nothing to revoke.
func (w *deletion) releaseProfile(ctx context.Context, o *unstructured.Unstructured) error {
	if o.GroupVersionKind().GroupKind() != kube.ProfileKind || !slices.Equal(o.GetFinalizers(), []string{profileFinalizer}) || len(kube.Items(o.Object, "spec", "plugins")) > 0 {
		return nil
	}
	if _, err := w.client.View().Get(ctx, profileController); !apierrors.IsNotFound(err) {
		return err // the controller removes it
	}
	_, err := w.client.Do(ctx, cluster.Edit(o, func(o *unstructured.Unstructured) { o.SetFinalizers(nil) }), cluster.Options{Manager: inventory.Manager})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
