package explain

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// whyWorkload says how many of a workload's pods are ready, and why one of the others is not.
func whyWorkload(ctx context.Context, view cluster.View, o *unstructured.Unstructured) string {
	if Failed(o) {
		c := kube.Condition(o, "Failed")
		return withDetail(fmt.Sprintf("it failed: %s: %s", c.Reason, c.Message), whyPods(ctx, view, o))
	}
	ready, wanted := ReplicaCounts(o)
	return withDetail(fmt.Sprintf("%d/%d ready", ready, wanted), whyPods(ctx, view, o))
}

// ReplicaCounts returns how many pods of a workload are ready and up to date, and how many are wanted.
func ReplicaCounts(o *unstructured.Unstructured) (ready, wanted int64) {
	switch o.GetKind() {
	case "DaemonSet":
		return kube.Number(o.Object, "status", "numberReady"), kube.Number(o.Object, "status", "desiredNumberScheduled")
	case "Job":
		return kube.Number(o.Object, "status", "succeeded"), orOne(o.Object, "spec", "completions")
	}
	ready, wanted = kube.Number(o.Object, "status", "readyReplicas"), orOne(o.Object, "spec", "replicas")
	if o.GetKind() == "Deployment" || o.GetKind() == "StatefulSet" {
		ready = min(ready, kube.Number(o.Object, "status", "updatedReplicas"))
	}
	return ready, wanted
}

func orOne(o map[string]any, path ...string) int64 {
	if n, found, _ := unstructured.NestedInt64(o, path...); found {
		return n
	}
	return 1
}

// whyPods explains the first pod of a workload that is crash-looping or waiting, or else the first that is not ready, or else
// why there are none.
func whyPods(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) string {
	pods := slices.DeleteFunc(slices.Clone(Pods(ctx, view, workload)), kube.PodReady)
	if len(pods) == 0 {
		return whyNoPods(ctx, view, workload)
	}
	for _, pod := range pods {
		if p := kube.WhyNotReady(pod); p != nil && (p.State == kube.Crashed || p.State == kube.Waiting) {
			return p.String()
		}
	}
	return Pod(ctx, view, pods[0])
}

// Pod explains why a pod is not ready.
func Pod(ctx context.Context, view cluster.View, pod *unstructured.Unstructured) string {
	problem := kube.WhyNotReady(pod)
	switch {
	case problem == nil:
		return ""
	case problem.State == kube.Unschedulable:
		return cmp.Or(whyVolumes(ctx, view, pod), problem.String())
	case problem.State != kube.Starting && problem.State != kube.Unready:
		return problem.String()
	}
	last := lastEvent(ctx, view, pod, "")
	switch reason, image := kube.Text(last, "reason"), problem.Container.Image; {
	case last["type"] == "Warning":
		return reason + ": " + kube.Cause(kube.Text(last, "message"))
	case reason == "Pulling" && image != "":
		return "pulling image " + image
	}
	return problem.String()
}

// whyVolumes says which volume prevents a pod from being scheduled, "" when none does.
func whyVolumes(ctx context.Context, view cluster.View, pod *unstructured.Unstructured) string {
	for _, volume := range kube.Items(pod.Object, "spec", "volumes") {
		name := kube.Text(volume, "persistentVolumeClaim", "claimName")
		if name == "" {
			continue
		}
		claim := cluster.Ref{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: pod.GetNamespace(), Name: name}
		if why := whyVolume(ctx, view, claim); why != "" {
			return why
		}
	}
	return ""
}

// whyNoPods explains why a workload has no pods: a quota, a policy or a webhook rejects them.
func whyNoPods(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) string {
	if c := kube.Condition(workload, "ReplicaFailure"); c != nil && c.Status == metav1.ConditionTrue {
		return c.Reason + ": " + kube.Cause(c.Message)
	}
	if kube.Number(workload.Object, "status", "observedGeneration") < workload.GetGeneration() {
		return "its controller has not processed it yet"
	}
	if why := lastWarning(ctx, view, workload); why != "" {
		return why
	}
	for _, set := range replicaSetsOf(ctx, view, workload) {
		if c := kube.Condition(set, "ReplicaFailure"); c != nil && c.Status == metav1.ConditionTrue {
			return c.Reason + ": " + kube.Cause(c.Message)
		}
	}
	return ""
}

func replicaSetsOf(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) []*unstructured.Unstructured {
	chosen := chosenBy(workload)
	if workload.GetKind() != "Deployment" || chosen == "" {
		return nil
	}
	sets, err := view.List(ctx, kube.ReplicaSetKind, cluster.Scope{Namespace: workload.GetNamespace(), Labels: chosen})
	if err != nil {
		return nil
	}
	return sets
}

// Pods returns the pods that a workload selects.
func Pods(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) []*unstructured.Unstructured {
	chosen := chosenBy(workload)
	if chosen == "" {
		return nil
	}
	pods, err := view.List(ctx, kube.PodKind, cluster.Scope{Namespace: workload.GetNamespace(), Labels: chosen})
	if err != nil {
		return nil
	}
	return pods
}

// chosenBy returns the selector of a workload's pods, "" if it has none.
func chosenBy(workload *unstructured.Unstructured) string {
	if workload == nil {
		return ""
	}
	s, err := Selector(workload)
	if err != nil || s.Empty() {
		return ""
	}
	return s.String()
}

func Selector(workload *unstructured.Unstructured) (labels.Selector, error) {
	if workload.GetKind() == "ReplicationController" {
		set, _, err := unstructured.NestedStringMap(workload.Object, "spec", "selector")
		return labels.SelectorFromSet(set), err
	}
	field := kube.Map(workload.Object, "spec", "selector")
	if field == nil {
		return labels.Nothing(), nil
	}
	return plan.Selector(field), nil
}

// Failed reports whether a Job has failed: it creates no more pods.
func Failed(o *unstructured.Unstructured) bool {
	return o != nil && o.GroupVersionKind().GroupKind() == kube.JobKind && kube.IsTrue(o, "Failed")
}
