package uninstall

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// CheckPermissions reports, before anything is deleted, what the user is not allowed to delete.
func CheckPermissions(ctx context.Context, client *cluster.Client, removal *Plan) error {
	if all, err := client.CanEverything(ctx); err == nil && all {
		return nil
	}
	view := client.View()
	var missing []string
	asked := map[string]bool{}
	for _, ref := range removal.Refs() {
		where := ref.GroupKind().String()
		if ref.Namespace != "" {
			where += " in namespace " + ref.Namespace
		}
		if asked[where] {
			continue
		}
		asked[where] = true
		can, err := view.Can(ctx, "delete", ref.GroupKind(), cluster.Scope{Namespace: ref.Namespace})
		if err != nil {
			return fmt.Errorf("checking permissions to delete: %w", err)
		}
		if !can {
			missing = append(missing, where)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &problem.Error{What: "you are not allowed to delete " + text.List(missing, 5),
		Next: "Nothing was changed. Ask the cluster's administrator for this permission, or name another user with --context"}
}

// DryRun sends a dry-run delete request for each object.
func DryRun(ctx context.Context, client *cluster.Client, removal *Plan) error {
	for _, wave := range removal.Waves {
		for _, o := range wave.Objects {
			_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: inventory.Manager, DryRun: true})
			if err != nil && !isGone(err) && !apierrors.IsConflict(err) {
				return err
			}
		}
	}
	return nil
}
