package apply

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
)

// crashLimit is how many more times a container must crash, with everything else ready, before the wait ends.
const crashLimit = 2

// stopOnCrashes ends the run if the only workloads that are not ready are crash-looping or have failed. now is the number
// of their restarts, nil if something else is not ready.
func (e *engine) stopOnCrashes(now map[cluster.Ref]int) {
	if e.unapplied > 0 || e.remaining == 0 || e.failed != nil || e.options.NoWait {
		return
	}
	first := e.crashes
	e.crashes = now
	if len(now) != len(first) || len(now) == 0 {
		return
	}
	for ref, restarts := range now {
		before, known := first[ref]
		if !known {
			return
		}
		if restarts-before < crashLimit && restarts != failedPermanently {
			e.crashes = first // keep counting from the first check
			return
		}
	}
	e.stuck = true
}

// failedPermanently marks a Job that has failed, in place of a number of restarts.
const failedPermanently = -1

// crashCounts returns the restarts of each workload, nil if one of them is not crashing.
func crashCounts(ctx context.Context, view cluster.View, left map[cluster.Ref]*unstructured.Unstructured) map[cluster.Ref]int {
	now := map[cluster.Ref]int{}
	for ref, live := range left {
		if explain.Failed(live) {
			now[ref] = failedPermanently
			continue
		}
		restarts, crashing := crashCount(ctx, view, live)
		if !crashing {
			return nil
		}
		now[ref] = restarts
	}
	return now
}

// crashCount returns the restarts of a workload's containers, and whether the last run of one ended with an error.
func crashCount(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) (restarts int, crashing bool) {
	for _, pod := range explain.Pods(ctx, view, workload) {
		for _, c := range kube.Containers(pod) {
			restarts += int(c.Restarts)
			crashing = crashing || !c.Ready && c.Last != nil && c.Last.Code != 0
		}
	}
	return restarts, crashing
}
