package dashboard

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// listed returns the objects of a kind as their Go type.
func listed[T any](ctx context.Context, view cluster.View, kind schema.GroupKind, in cluster.Scope) ([]T, error) {
	objects, err := view.List(ctx, kind, in)
	if err != nil {
		return nil, fmt.Errorf("listing %ss: %w", kind.Kind, err)
	}
	all := make([]T, 0, len(objects))
	for _, o := range objects {
		typed, err := cluster.As[T](o)
		if err != nil {
			return nil, err
		}
		all = append(all, *typed)
	}
	return all, nil
}
