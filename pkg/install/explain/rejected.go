package explain

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// MayBeRejected reports whether a workload's status allows that the server rejects its pods: asking [Rejected] is worth a
// request.
func MayBeRejected(o *unstructured.Unstructured) bool {
	if o == nil || o.GetDeletionTimestamp() != nil {
		return false
	}
	status := func(field string) int64 { return kube.Number(o.Object, "status", field) }
	switch o.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "ReplicaSet.apps", "ReplicationController":
		return kube.IsTrue(o, "ReplicaFailure")
	case "StatefulSet.apps":
		return status("replicas") < orOne(o.Object, "spec", "replicas") || status("updatedReplicas") < status("replicas")
	case "DaemonSet.apps":
		return status("currentNumberScheduled") < status("desiredNumberScheduled")
	case "Job.batch":
		return status("active")+status("succeeded")+status("failed") == 0
	}
	return false
}

// Rejected returns the server's message with which it rejects a workload's pods for good, "" when it does not.
func Rejected(ctx context.Context, view cluster.View, o *unstructured.Unstructured) string {
	if !MayBeRejected(o) {
		return ""
	}
	message := ""
	if c := kube.Condition(o, "ReplicaFailure"); c != nil && c.Status == metav1.ConditionTrue {
		message = c.Message
	} else if event := lastEvent(ctx, view, o, "Warning"); kube.Text(event, "reason") == "FailedCreate" {
		message = kube.Text(event, "message")
	}
	if !kube.RejectsForGood(message) || strings.Contains(message, "exceeded quota") && quotaMayBeFreed(ctx, view, o.GetNamespace()) {
		return ""
	}
	return message
}

// quotaMayBeFreed reports whether pods of a namespace are about to end: they return what they use of its quota.
func quotaMayBeFreed(ctx context.Context, view cluster.View, namespace string) bool {
	pods, err := view.List(ctx, kube.PodKind, cluster.Scope{Namespace: namespace})
	if err != nil {
		return false
	}
	for _, pod := range pods {
		owner := metav1.GetControllerOf(pod)
		running := kube.Text(pod.Object, "status", "phase") == "Running"
		if pod.GetDeletionTimestamp() != nil || running && owner != nil && owner.Kind == "Job" {
			return true
		}
	}
	return false
}
