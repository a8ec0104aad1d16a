package install

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// crashes counts how often the pods of what is left have crashed since everything else was ready.
type crashes struct {
	first map[cluster.Ref]int
	asked time.Time
}

const (
	enough   = 2 // times more a container has to crash, with everything else ready, before the wait ends
	askEvery = 5 * time.Second
)

// giveUpOnCrashes ends the run when everything is ready but what crashes again and again: to wait longer is no use.
func (e *engine) giveUpOnCrashes(ctx context.Context) {
	if e.unsent > 0 || e.left == 0 || e.failed != nil || time.Since(e.crashes.asked) < askEvery {
		return
	}
	e.crashes.asked = time.Now()
	now := map[cluster.Ref]int{}
	view := e.client.View()
	for _, it := range e.items {
		if it.ready {
			continue
		}
		restarts, crashing := crashCount(ctx, view, it.live)
		if !crashing {
			e.crashes.first = nil
			return
		}
		now[it.Ref()] = restarts
	}
	if e.crashes.first == nil || len(now) != len(e.crashes.first) {
		e.crashes.first = now
		return
	}
	for ref, restarts := range now {
		first, known := e.crashes.first[ref]
		if !known {
			e.crashes.first = now
			return
		}
		if restarts-first < enough {
			return
		}
	}
	e.failed = e.unfinished(ctx, true)
}

// crashCount returns how often the containers of a workload's pods were started again, and whether one of them
// ended with an error the last time.
func crashCount(ctx context.Context, view cluster.View, workload *object) (restarts int, crashing bool) {
	for _, pod := range podsOf(ctx, view, workload) {
		for _, status := range containerStatuses(pod) {
			count, _, _ := unstructured.NestedInt64(status, "restartCount")
			code, ended, _ := unstructured.NestedInt64(status, "lastState", "terminated", "exitCode")
			restarts += int(count)
			crashing = crashing || ended && code != 0 && status["ready"] != true
		}
	}
	return restarts, crashing
}

// podsOf returns the pods that a workload selects.
func podsOf(ctx context.Context, view cluster.View, workload *object) []*object {
	if workload == nil {
		return nil
	}
	chosen, found, _ := unstructured.NestedStringMap(workload.Object, "spec", "selector", "matchLabels")
	if !found {
		return nil
	}
	pods, err := view.List(ctx, schema.GroupKind{Kind: "Pod"}, cluster.Scope{
		Namespace: workload.GetNamespace(), Labels: labels.SelectorFromSet(chosen).String(),
	})
	if err != nil {
		return nil
	}
	return pods
}

func containerStatuses(pod *object) []map[string]any {
	return append(items(pod.Object, "status", "initContainerStatuses"), items(pod.Object, "status", "containerStatuses")...)
}

// because finds the reason behind a workload that is not ready: what its pods say, else the last warning about it.
func because(ctx context.Context, view cluster.View, workload *object, otherwise string) string {
	if workload == nil {
		return otherwise
	}
	pods := podsOf(ctx, view, workload)
	for _, pod := range pods {
		if why := troubled(pod); why != "" {
			return fmt.Sprintf("%s (%s)", why, cluster.RefOf(pod))
		}
	}
	for _, o := range append(pods, workload) {
		if warning := lastWarning(ctx, view, o); warning != "" {
			return fmt.Sprintf("%s (%s)", warning, cluster.RefOf(o))
		}
	}
	return otherwise
}

// troubled says what is wrong with a pod's containers, or why it has no node.
func troubled(pod *object) string {
	for _, status := range containerStatuses(pod) {
		name := text(status, "name")
		code, ended, _ := unstructured.NestedInt64(status, "lastState", "terminated", "exitCode")
		switch reason := text(status, "state", "waiting", "reason"); {
		case ended && code != 0:
			count, _, _ := unstructured.NestedInt64(status, "restartCount")
			return fmt.Sprintf("container %s crashes with exit code %d, %d times so far", name, code, count)
		case reason != "" && reason != "ContainerCreating" && reason != "PodInitializing":
			return fmt.Sprintf("container %s: %s: %s", name, reason, text(status, "state", "waiting", "message"))
		}
	}
	for _, condition := range items(pod.Object, "status", "conditions") {
		if condition["type"] == "PodScheduled" && condition["status"] == "False" {
			return "no node for it: " + text(condition, "message")
		}
	}
	return ""
}

func lastWarning(ctx context.Context, view cluster.View, o *object) string {
	events, err := view.List(ctx, schema.GroupKind{Kind: "Event"}, cluster.Scope{
		Namespace: o.GetNamespace(), Fields: "type=Warning,involvedObject.name=" + o.GetName(),
	})
	if err != nil || len(events) == 0 {
		return ""
	}
	last := events[0]
	for _, event := range events {
		if text(event.Object, "lastTimestamp") > text(last.Object, "lastTimestamp") {
			last = event
		}
	}
	return text(last.Object, "reason") + ": " + text(last.Object, "message")
}
