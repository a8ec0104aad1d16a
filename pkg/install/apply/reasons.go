package apply

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// reasons finds out, beside the engine, what is behind the waits that last: one look at a time, so that a slow server
// holds nothing up, and only at what is named on the screen.
type reasons struct {
	client  *cluster.Client
	facts   chan<- fact
	ctx     context.Context
	running sync.WaitGroup
	busy    bool
	asked   time.Time
}

// A reasonFact is what a look found out.
type reasonFact struct {
	began   time.Time
	about   []question
	found   []finding
	crashes map[cluster.Ref]int // of everything that is not ready; nil when something of it does not crash
}

const (
	lookAfter = 2 * time.Second // a wait shorter than this explains itself
	lookEvery = 5 * time.Second
	lookFor   = 10 * time.Second
)

// ask starts a look, unless one is under way or has only just ended.
func (r *reasons) ask(about []question, left []*item) {
	if r.busy || time.Since(r.asked) < lookEvery || len(about)+len(left) == 0 {
		return
	}
	r.busy = true
	lives := map[cluster.Ref]*unstructured.Unstructured{}
	for _, it := range left {
		lives[it.Ref()] = it.live
	}
	fact := reasonFact{began: time.Now(), about: about}
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		ctx, cancel := context.WithTimeout(r.ctx, lookFor)
		defer cancel()
		view := r.client.View()
		for _, q := range about {
			fact.found = append(fact.found, q.answer(ctx, view))
		}
		fact.crashes = crashCounts(ctx, view, lives)
		select {
		case r.facts <- fact:
		case <-r.ctx.Done():
		}
	}()
}

func (f reasonFact) tell(e *engine) {
	e.reasons.busy, e.reasons.asked = false, time.Now()
	for n, q := range f.about {
		if e.items[q.i].waitsSince.Before(f.began) {
			e.learn(q, f.found[n])
		}
	}
	e.giveUpOnCrashes(f.crashes)
}

// lookDeeper asks about what is worth naming, and about what may never come: kinds that are not established, webhooks
// that fail.
func (e *engine) lookDeeper() {
	var about []question
	named := map[int]bool{}
	for _, s := range e.stages {
		if it, _ := e.oldest(s); it != nil && !s.ready {
			named[e.at[it.Ref().Identity()]] = true
		}
	}
	for i, it := range e.items {
		often := it.Guarded && it.failures.same >= often || it.state == sent && it.Object.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind
		if it.ready || time.Since(it.waitsSince) < lookAfter || !named[i] && !often {
			continue
		}
		if q, ok := e.questionOf(i, it); ok {
			about = append(about, q)
		}
	}
	var left []*item
	for _, it := range e.items {
		if e.unsent == 0 && !it.ready {
			left = append(left, it)
		}
	}
	e.reasons.ask(about, left)
}

// closedGate returns the first gate that an object still waits for.
func (e *engine) closedGate(it *item) (plan.Gate, bool) {
	if it.closed == 0 || it.Unchanged {
		return plan.Gate{}, false
	}
	for _, g := range it.Gates {
		if l := e.lockOf(g); l != nil && !l.open {
			return g, true
		}
	}
	return plan.Gate{}, false
}
