package explain

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// lastWarning returns what the last warning about an object says, "" when there is none.
func lastWarning(ctx context.Context, view cluster.View, o *unstructured.Unstructured) string {
	event := lastEvent(ctx, view, o, "Warning")
	if event == nil {
		return ""
	}
	return kube.Text(event, "reason") + ": " + kube.Cause(kube.Text(event, "message"))
}

// lastEvent returns the last event about an object, of one type or of any; nil when there is none.
func lastEvent(ctx context.Context, view cluster.View, o *unstructured.Unstructured, kind string) map[string]any {
	chosen := "involvedObject.kind=" + o.GetKind() + ",involvedObject.name=" + o.GetName()
	if kind != "" {
		chosen += ",type=" + kind
	}
	events, err := view.List(ctx, kube.EventKind, cluster.Scope{Namespace: o.GetNamespace(), Fields: chosen})
	if err != nil {
		return nil
	}
	var last map[string]any
	for _, event := range events {
		if last == nil || kube.LastSeen(event.Object) >= kube.LastSeen(last) {
			last = event.Object
		}
	}
	return last
}
