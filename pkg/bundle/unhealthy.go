package bundle

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// mostPods is how many pods have their events and logs read.
const mostPods = 20

// AddUnhealthy reads the events and the last log lines of the unhealthy pods among those that were read. What cannot be read is
// recorded with the reason, like every other response.
func (r *Recorder) AddUnhealthy(ctx context.Context) {
	left := mostPods
	for _, pod := range r.Pods() {
		if unhealthy := unhealthyContainers(pod); len(unhealthy) > 0 && left > 0 {
			left--
			r.addPod(ctx, pod, unhealthy)
		}
	}
}

func (r *Recorder) addPod(ctx context.Context, pod *unstructured.Unstructured, unhealthy []kube.Container) {
	_, _ = r.List(ctx, kube.EventKind, cluster.Scope{
		Namespace: pod.GetNamespace(), Fields: "involvedObject.kind=Pod,involvedObject.name=" + pod.GetName(),
	})
	for _, c := range unhealthy {
		of := cluster.LogScope{Container: c.Name, Lines: cluster.LogLines}
		if c.State != "waiting" || c.Restarts > 0 {
			_, _ = r.Logs(ctx, cluster.RefOf(pod), of)
		}
		if c.Restarts > 0 {
			of.Previous = true
			_, _ = r.Logs(ctx, cluster.RefOf(pod), of)
		}
	}
}

// unhealthyContainers returns the containers of a pod that are neither ready nor done. A pod without a node has none: one empty
// container represents it.
func unhealthyContainers(pod *unstructured.Unstructured) []kube.Container {
	if kube.Text(pod.Object, "status", "phase") == "Succeeded" {
		return nil
	}
	unhealthy := slices.DeleteFunc(kube.Containers(pod), func(c kube.Container) bool { return c.Ready || c.Done() })
	if len(unhealthy) == 0 && kube.Text(pod.Object, "status", "phase") == "Pending" {
		unhealthy = []kube.Container{{State: "waiting"}}
	}
	return unhealthy
}
