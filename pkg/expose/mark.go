package expose

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// marks are the labels of everything that expose makes; --remove goes by them and by nothing else.
var marks = map[string]string{
	"app.kubernetes.io/managed-by": "kubectl-kubeflow",
	"app.kubernetes.io/part-of":    "kubeflow",
	"app.kubernetes.io/component":  "expose",
}

func madeByExpose(o *unstructured.Unstructured) bool {
	return labels.SelectorFromSet(marks).Matches(labels.Set(o.GetLabels()))
}

func deleting(o *unstructured.Unstructured) bool { return o.GetDeletionTimestamp() != nil }

// LookMade returns what expose made, in any namespace and also where no gateway is left:
// Services first, so that the address goes before what lets visitors through to the gateway.
func LookMade(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	in := cluster.Scope{Labels: labels.FormatLabels(maps.Clone(marks))}
	made, err := view.List(ctx, services, in)
	if err != nil {
		return nil, err
	}
	rules, err := view.List(ctx, policies, in)
	return append(made[:len(made):len(made)], rules...), err
}

// PlanRemoval returns the changes that take back what expose made.
func PlanRemoval(made []*unstructured.Unstructured) []cluster.Change {
	var changes []cluster.Change
	for _, o := range made {
		changes = append(changes, cluster.Change{Verb: cluster.Delete, Before: o})
	}
	return changes
}
