package status

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A snapshotView answers questions about the pods of a namespace, their owners and their events from lists that were read
// before: separate requests for every workload would be a hundred.
type snapshotView struct {
	cluster.View
	seen *snapshot
}

func (v *snapshotView) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	for _, known := range []struct {
		kind schema.GroupKind
		in   map[string][]*unstructured.Unstructured
	}{{kube.PodKind, v.seen.pods}, {kube.EventKind, v.seen.events}, {kube.ReplicaSetKind, v.seen.sets}} {
		if list, read := known.in[in.Namespace]; kind == known.kind && read {
			return cluster.Objects("what was read", nil, list...).List(ctx, kind, in)
		}
	}
	return v.View.List(ctx, kind, in)
}
