package uninstall

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// MayRemove says, before anything is deleted, what this user may not delete.
func MayRemove(ctx context.Context, client *cluster.Client, removal *Removal) error {
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
			return fmt.Errorf("asking what may be deleted: %w", err)
		}
		if !can {
			missing = append(missing, where)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &cluster.Problem{What: "you may not delete " + text.List(missing, 5),
		Next: "Nothing was changed. Ask the cluster's administrator for this permission, or name another user with --context"}
}

// TryRemoval lets the server say about each object whether it would delete it.
func TryRemoval(ctx context.Context, client *cluster.Client, removal *Removal) error {
	for _, wave := range removal.Waves {
		for _, o := range wave.Objects {
			_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: inventory.Manager, DryRun: true})
			if err != nil && !IsGone(err) && !apierrors.IsConflict(err) {
				return err
			}
		}
	}
	return nil
}
