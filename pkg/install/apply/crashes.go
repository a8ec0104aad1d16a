package apply

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
)

// crashLimit is how many times more a container has to crash, with everything else ready, before the wait ends.
const crashLimit = 2

// stopOnCrashes ends the run when everything is ready but what crashes again and again, or has failed for good: to
// wait longer is no use. now says how often each has crashed; nil when something else is not ready either.
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
			e.crashes = first // counted from where they began
			return
		}
	}
	e.stuck = true
}

// failedPermanently stands for a number of crashes that no further one adds to.
const failedPermanently = -1

// crashCounts returns how often each of some workloads has crashed, nil when one of them does not crash.
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

// crashCount returns how often the containers of a workload's pods were started again, and whether one of them
// ended with an error the last time.
func crashCount(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) (restarts int, crashing bool) {
	for _, pod := range explain.Pods(ctx, view, workload) {
		for _, c := range kube.Containers(pod) {
			restarts += int(c.Restarts)
			crashing = crashing || !c.Ready && c.Last != nil && c.Last.Code != 0
		}
	}
	return restarts, crashing
}
