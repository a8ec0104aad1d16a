package install

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// whyWorkload says how many of a workload's pods are ready, and what is wrong with one that is not.
func whyWorkload(ctx context.Context, view cluster.View, o *object) string {
	if c := condition(o, "Failed"); c != nil && c["status"] == "True" && o.GetKind() == "Job" {
		return joined(fmt.Sprintf("it failed: %s: %s", text(c, "reason"), text(c, "message")), whyPods(ctx, view, o))
	}
	ready, wanted := counts(o)
	return joined(fmt.Sprintf("%d/%d ready", ready, wanted), whyPods(ctx, view, o))
}

// counts returns how many pods of a workload are as wanted, and how many are wanted.
func counts(o *object) (ready, wanted int64) {
	switch o.GetKind() {
	case "DaemonSet":
		return number(o.Object, "status", "numberReady"), number(o.Object, "status", "desiredNumberScheduled")
	case "Job":
		return number(o.Object, "status", "succeeded"), orOne(o.Object, "spec", "completions")
	}
	ready, wanted = number(o.Object, "status", "readyReplicas"), orOne(o.Object, "spec", "replicas")
	if o.GetKind() == "Deployment" || o.GetKind() == "StatefulSet" {
		ready = min(ready, number(o.Object, "status", "updatedReplicas"))
	}
	return ready, wanted
}

func orOne(o map[string]any, path ...string) int64 {
	if n, found, _ := unstructured.NestedInt64(o, path...); found {
		return n
	}
	return 1
}

// whyPods says what is wrong with the first pod of a workload that is in trouble, else with the first that is not
// ready, else why there are none.
func whyPods(ctx context.Context, view cluster.View, workload *object) string {
	pods := slices.DeleteFunc(slices.Clone(podsOf(ctx, view, workload)), ready)
	if len(pods) == 0 {
		return whyNoPods(ctx, view, workload)
	}
	for _, pod := range pods {
		if why := troubled(pod); why != "" {
			return why
		}
	}
	return whyPod(ctx, view, pods[0])
}

func ready(pod *object) bool {
	c := condition(pod, "Ready")
	return c != nil && c["status"] == "True" || text(pod.Object, "status", "phase") == "Succeeded"
}

// whyPod says what is wrong with a pod that is not ready.
func whyPod(ctx context.Context, view cluster.View, pod *object) string {
	if pod.GetDeletionTimestamp() != nil {
		return "its old pod is still ending"
	}
	if why := troubled(pod); why != "" {
		return why
	}
	if c := condition(pod, "PodScheduled"); c == nil || c["status"] != "True" {
		return unscheduled(ctx, view, pod, c)
	}
	last := lastEvent(ctx, view, pod, "")
	reason, message := text(last, "reason"), text(last, "message")
	switch name, does := unstarted(pod); {
	case last["type"] == "Warning":
		return reason + ": " + message
	case name != "" && reason == "Pulling":
		return "pulling image " + imageOf(pod, name)
	case name != "":
		return fmt.Sprintf(does, name, imageOf(pod, name))
	case text(pod.Object, "status", "phase") == "Pending":
		return "its pod is starting"
	}
	return "its pod runs and is not ready yet"
}

// unscheduled says why a pod has no node.
func unscheduled(ctx context.Context, view cluster.View, pod *object, scheduled map[string]any) string {
	for _, volume := range items(pod.Object, "spec", "volumes") {
		name := text(volume, "persistentVolumeClaim", "claimName")
		if name == "" {
			continue
		}
		claim := cluster.Ref{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: pod.GetNamespace(), Name: name}
		if why := whyVolume(ctx, view, claim); why != "" {
			return why
		}
	}
	message, _, _ := strings.Cut(text(scheduled, "message"), " preemption:")
	message, _, _ = strings.Cut(message, " no new claims to deallocate") // nothing that a reader could act on
	if message == "" {
		return "its pod waits for a node"
	}
	return "no node for it: " + strings.TrimSpace(message)
}

// unstarted returns the container that a pod's start waits for and, as a format of its name and its image, what it
// does; "" when all have started.
func unstarted(pod *object) (name, does string) {
	for _, status := range items(pod.Object, "status", "initContainerStatuses") {
		switch {
		case dig(status, "state", "waiting") != nil:
			return text(status, "name"), "init container %s is being created (image %s)"
		case dig(status, "state", "running") != nil && status["ready"] != true:
			return text(status, "name"), "init container %s runs and has not ended yet (image %s)"
		}
	}
	for _, status := range items(pod.Object, "status", "containerStatuses") {
		if dig(status, "state", "waiting") != nil {
			return text(status, "name"), "container %s is being created (image %s)"
		}
	}
	return "", ""
}

func imageOf(pod *object, container string) string {
	for _, c := range append(items(pod.Object, "spec", "initContainers"), items(pod.Object, "spec", "containers")...) {
		if text(c, "name") == container {
			return text(c, "image")
		}
	}
	return ""
}

// troubled says what is wrong with a pod's containers, as far as the pod itself tells, "" when nothing is.
func troubled(pod *object) string {
	for _, status := range containerStatuses(pod) {
		if status["ready"] == true {
			continue
		}
		name := text(status, "name")
		code, ended, _ := unstructured.NestedInt64(status, "lastState", "terminated", "exitCode")
		if !ended {
			code, ended, _ = unstructured.NestedInt64(status, "state", "terminated", "exitCode")
		}
		switch reason := text(status, "state", "waiting", "reason"); {
		case ended && code != 0:
			because := orElse(text(status, "lastState", "terminated", "reason"), text(status, "state", "terminated", "reason"))
			if because == "Error" || because == "" {
				return fmt.Sprintf("container %s crashes with exit code %d, %d times so far", name, code, number(status, "restartCount"))
			}
			return fmt.Sprintf("container %s crashes with exit code %d (%s), %d times so far", name, code, because, number(status, "restartCount"))
		case reason != "" && reason != "ContainerCreating" && reason != "PodInitializing":
			return strings.TrimSuffix(fmt.Sprintf("container %s: %s: %s", name, reason, text(status, "state", "waiting", "message")), ": ")
		}
	}
	return ""
}

// whyNoPods says why a workload has no pods: a quota, a policy or a webhook that does not let them in.
func whyNoPods(ctx context.Context, view cluster.View, workload *object) string {
	if c := condition(workload, "ReplicaFailure"); c != nil && c["status"] == "True" {
		return text(c, "reason") + ": " + text(c, "message")
	}
	if number(workload.Object, "status", "observedGeneration") < workload.GetGeneration() {
		return "its controller has not taken it up yet"
	}
	if why := lastWarning(ctx, view, workload); why != "" {
		return why
	}
	for _, set := range replicaSetsOf(ctx, view, workload) {
		if c := condition(set, "ReplicaFailure"); c != nil && c["status"] == "True" {
			return text(c, "reason") + ": " + text(c, "message")
		}
	}
	return ""
}

func replicaSetsOf(ctx context.Context, view cluster.View, workload *object) []*object {
	chosen := chosenBy(workload)
	if workload.GetKind() != "Deployment" || chosen == "" {
		return nil
	}
	sets, err := view.List(ctx, schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, cluster.Scope{Namespace: workload.GetNamespace(), Labels: chosen})
	if err != nil {
		return nil
	}
	return sets
}

// podsOf returns the pods that a workload selects.
func podsOf(ctx context.Context, view cluster.View, workload *object) []*object {
	chosen := chosenBy(workload)
	if chosen == "" {
		return nil
	}
	pods, err := view.List(ctx, schema.GroupKind{Kind: "Pod"}, cluster.Scope{Namespace: workload.GetNamespace(), Labels: chosen})
	if err != nil {
		return nil
	}
	return pods
}

// chosenBy returns the selector of a workload's pods, "" for what has none.
func chosenBy(workload *object) string {
	if workload == nil {
		return ""
	}
	s, err := selectorOf(workload)
	if err != nil || s.Empty() {
		return ""
	}
	return s.String()
}

func selectorOf(workload *object) (labels.Selector, error) {
	if workload.GetKind() == "ReplicationController" {
		set, _, err := unstructured.NestedStringMap(workload.Object, "spec", "selector")
		return labels.SelectorFromSet(set), err
	}
	field := dig(workload.Object, "spec", "selector")
	if field == nil {
		return labels.Nothing(), nil
	}
	return selector(field), nil
}

func containerStatuses(pod *object) []map[string]any {
	return append(items(pod.Object, "status", "initContainerStatuses"), items(pod.Object, "status", "containerStatuses")...)
}
