package install

import (
	"context"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
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

// A question is about one object that waits: for its gate, or to become ready.
type question struct {
	i    int
	gate Gate
	live *object
}

// A reasonFact is what a look found out.
type reasonFact struct {
	began   time.Time
	why     map[int]string
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
	began := time.Now()
	lives := map[cluster.Ref]*object{}
	for _, it := range left {
		lives[it.Ref()] = it.live
	}
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		ctx, cancel := context.WithTimeout(r.ctx, lookFor)
		defer cancel()
		view := r.client.View()
		found := reasonFact{began: began, why: map[int]string{}}
		for _, q := range about {
			found.why[q.i] = q.answer(ctx, view)
		}
		found.crashes = crashCounts(ctx, view, lives)
		select {
		case r.facts <- found:
		case <-r.ctx.Done():
		}
	}()
}

func (q question) answer(ctx context.Context, view cluster.View) string {
	if q.gate != (Gate{}) {
		return "waits for " + whyClosed(ctx, view, q.gate)
	}
	return whyNot(ctx, view, q.live)
}

func (f reasonFact) tell(e *engine) {
	e.reasons.busy, e.reasons.asked = false, time.Now()
	for i, why := range f.why {
		if e.items[i].waitsSince.Before(f.began) {
			e.items[i].because = why
		}
	}
	e.giveUpOnCrashes(f.crashes)
}

// lookDeeper asks about what the stages that are not ready are waiting for.
func (e *engine) lookDeeper() {
	var about []question
	for _, s := range e.stages {
		it, _ := e.oldest(s)
		if s.ready || it == nil || e.options.NoWait && it.state == sent {
			continue
		}
		g, gated := e.closedGate(it)
		switch i := e.at[it.Ref().Identity()]; {
		case time.Since(it.waitsSince) < lookAfter:
		case gated:
			about = append(about, question{i: i, gate: g})
		case it.state == sent && it.live != nil:
			about = append(about, question{i: i, live: it.live})
		}
	}
	var left []*item
	if e.unsent == 0 {
		for _, it := range e.items {
			if !it.ready {
				left = append(left, it)
			}
		}
	}
	e.reasons.ask(about, left)
}

// closedGate returns the first gate that an object still waits for.
func (e *engine) closedGate(it *item) (Gate, bool) {
	if it.closed == 0 || it.Unchanged {
		return Gate{}, false
	}
	for _, g := range it.Gates {
		if l := e.lockOf(g); l != nil && !l.open {
			return g, true
		}
	}
	return Gate{}, false
}
