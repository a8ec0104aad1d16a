package doctor

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Records returns the objects that fixes keep their undo in, so that an uninstall can take them off: what they would
// put back is gone then.
func Records(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, kind := range []string{"ConfigMap", "Secret"} {
		list, err := view.List(ctx, schema.GroupKind{Kind: kind}, cluster.Scope{Namespace: recordNamespace, Labels: recordLabel, Metadata: true})
		if kind == "Secret" && apierrors.IsForbidden(err) {
			continue // who may not read Secrets has made none
		}
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}
