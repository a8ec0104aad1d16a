package bundle

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

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

func (r *Recorder) addPod(ctx context.Context, pod *unstructured.Unstructured, ill []map[string]any) {
	_, _ = r.List(ctx, schema.GroupKind{Kind: "Event"}, cluster.Scope{
		Namespace: pod.GetNamespace(), Fields: "involvedObject.kind=Pod,involvedObject.name=" + pod.GetName(),
	})
	for _, status := range ill {
		name, _ := status["name"].(string)
		of := cluster.LogScope{Container: name, Lines: cluster.LogLines}
		if _, waiting, _ := unstructured.NestedMap(status, "state", "waiting"); !waiting || restarted(status) {
			_, _ = r.Logs(ctx, cluster.RefOf(pod), of)
		}
		if restarted(status) {
			of.Previous = true
			_, _ = r.Logs(ctx, cluster.RefOf(pod), of)
		}
	}
}

func restarted(status map[string]any) bool {
	n, _, _ := unstructured.NestedInt64(status, "restartCount")
	return n > 0
}

// illContainers returns the statuses of a pod's containers that are not well: neither ready nor done. A pod that has no
// node yet has none, and is ill as a whole: one empty status stands for it.
func illContainers(pod *unstructured.Unstructured) []map[string]any {
	phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
	if phase == "Succeeded" {
		return nil
	}
	var ill []map[string]any
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", list)
		for _, item := range statuses {
			status, _ := item.(map[string]any)
			ready, _, _ := unstructured.NestedBool(status, "ready")
			if code, ended, _ := unstructured.NestedInt64(status, "state", "terminated", "exitCode"); !ready && (!ended || code != 0) {
				ill = append(ill, status)
			}
		}
	}
	if len(ill) == 0 && phase == "Pending" {
		ill = append(ill, map[string]any{"state": map[string]any{"waiting": map[string]any{}}})
	}
	return ill
}
