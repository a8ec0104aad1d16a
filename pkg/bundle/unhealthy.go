package bundle

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// mostPods is of how many pods the events and logs are read.
const mostPods = 20

// AddIll reads the events and the last log lines of the pods that are not well, among those that were read. What cannot
// be read is remembered with its reason, like every other answer.
func (r *Recorder) AddIll(ctx context.Context) {
	left := mostPods
	for _, pod := range r.Pods() {
		if ill := illContainers(pod); len(ill) > 0 && left > 0 {
			left--
			r.addPod(ctx, pod, ill)
		}
	}
}

func (r *Recorder) addPod(ctx context.Context, pod *unstructured.Unstructured, ill []kube.Container) {
	_, _ = r.List(ctx, kube.EventKind, cluster.Scope{
		Namespace: pod.GetNamespace(), Fields: "involvedObject.kind=Pod,involvedObject.name=" + pod.GetName(),
	})
	for _, c := range ill {
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

// illContainers returns the containers of a pod that are not well: neither ready nor done. A pod that has no node yet has
// none, and is ill as a whole: one empty container stands for it.
func illContainers(pod *unstructured.Unstructured) []kube.Container {
	if kube.Text(pod.Object, "status", "phase") == "Succeeded" {
		return nil
	}
	ill := slices.DeleteFunc(kube.Containers(pod), func(c kube.Container) bool { return c.Ready || c.Done() })
	if len(ill) == 0 && kube.Text(pod.Object, "status", "phase") == "Pending" {
		ill = []kube.Container{{State: "waiting"}}
	}
	return ill
}
