package apply

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// A waitChecker finds the causes of long waits in the background. It runs one check at a time, only for the objects that are
// reported.
type waitChecker struct {
	client  *cluster.Client
	updates chan<- update
	ctx     context.Context
	running sync.WaitGroup
	busy    bool
	lastRun time.Time
}

// A checkUpdate holds the results of a check.
type checkUpdate struct {
	began   time.Time
	checks  []waitCheck
	results []waitResult
	crashes map[cluster.Ref]int // of everything that is not ready; nil when something of it does not crash
}

const (
	checkAfter   = 2 * time.Second // shorter waits need no explanation
	checkEvery   = 5 * time.Second
	checkTimeout = 10 * time.Second
)

// start starts a check, unless one is running or has just ended.
func (r *waitChecker) start(about []waitCheck, left []*item) {
	if r.busy || time.Since(r.lastRun) < checkEvery || len(about)+len(left) == 0 {
		return
	}
	r.busy = true
	lives := map[cluster.Ref]*unstructured.Unstructured{}
	for _, it := range left {
		lives[it.Ref()] = it.live
	}
	fact := checkUpdate{began: time.Now(), checks: about}
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		ctx, cancel := context.WithTimeout(r.ctx, checkTimeout)
		defer cancel()
		view := r.client.View()
		for _, q := range about {
			fact.results = append(fact.results, q.run(ctx, view))
		}
		fact.crashes = crashCounts(ctx, view, lives)
		select {
		case r.updates <- fact:
		case <-r.ctx.Done():
		}
	}()
}

func (f checkUpdate) handle(e *engine) {
	e.checker.busy, e.checker.lastRun = false, time.Now()
	for n, q := range f.checks {
		if e.items[q.i].waitingSince.Before(f.began) {
			e.handleResult(q, f.results[n])
		}
	}
	e.stopOnCrashes(f.crashes)
}

// checkWaits checks the objects that are reported, and those that may never succeed: CRDs that are not established,
// objects that a webhook rejects, and workloads whose pods are rejected.
func (e *engine) checkWaits() {
	var about []waitCheck
	named := map[int]bool{}
	for _, s := range e.stages {
		if it, _ := e.oldest(s); it != nil && !s.ready {
			named[e.at[it.Ref().Identity()]] = true
		}
	}
	for i, it := range e.items {
		often := it.Guarded && it.failures.repeats >= sameErrorLimit ||
			it.state == sent && (it.Object.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind || explain.MayBeRejected(it.live))
		if it.ready || time.Since(it.waitingSince) < checkAfter || !named[i] && !often {
			continue
		}
		if q, ok := e.waitCheckFor(i, it); ok {
			about = append(about, q)
		}
	}
	var left []*item
	for _, it := range e.items {
		if e.unapplied == 0 && !it.ready {
			left = append(left, it)
		}
	}
	e.checker.start(about, left)
}

// closedGate returns the first gate that an object still waits for.
func (e *engine) closedGate(it *item) (plan.Gate, bool) {
	if it.closedGates == 0 || it.Unchanged {
		return plan.Gate{}, false
	}
	for _, g := range it.Gates {
		if l := e.gateStateOf(g); l != nil && !l.open {
			return g, true
		}
	}
	return plan.Gate{}, false
}
