package apply

import (
	"cmp"
	"context"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// A stage is the progress of one component.
type stage struct {
	name         string
	tally        events.Tally
	started      time.Time
	ready        bool
	lastReported string // the last reported reason
	reportedAt   time.Time
}

func (e *engine) stageNamed(name string) *stage {
	for _, s := range e.stages {
		if s.name == name {
			return s
		}
	}
	s := &stage{name: name}
	e.stages = append(e.stages, s)
	return s
}

func (e *engine) startStage(s *stage) {
	if s.started.IsZero() {
		s.started = time.Now()
		e.options.Observe(events.StageStarted{Stage: s.name, Tally: s.tally})
	}
}

// setReady marks an object ready or not ready. A ready object can become unready again.
func (e *engine) setReady(it *item, ready bool, why string) {
	if it.why != why {
		it.why, it.cause, it.waitingSince = why, "", time.Now()
	}
	if it.ready == ready {
		return
	}
	it.ready = ready
	if !ready {
		it.stage.tally.Ready--
		it.stage.ready = false
		e.remaining++
		return
	}
	it.stage.tally.Ready++
	e.remaining--
	e.options.Observe(events.ObjectReady{Stage: it.stage.name, Ref: it.Ref(), Tally: it.stage.tally})
	if s := it.stage; s.tally.Ready == s.tally.Total && !s.ready {
		e.startStage(s)
		s.ready = true
		e.options.Observe(events.StageReady{Stage: s.name, Took: time.Since(s.started), Tally: s.tally})
	}
}

// repeatInterval is how often an unchanged reason is reported again.
const repeatInterval = 10 * time.Second

// reportWaiting reports what each stage that is not ready waits for.
func (e *engine) reportWaiting() {
	for _, s := range e.stages {
		if s.ready {
			continue
		}
		first, more := e.oldest(s)
		if first == nil {
			continue
		}
		why := e.reason(first)
		key := first.Ref().String() + why
		if key == s.lastReported && time.Since(s.reportedAt) < repeatInterval {
			continue
		}
		s.lastReported, s.reportedAt = key, time.Now()
		e.options.Observe(events.StillWaiting{Stage: s.name, Ref: first.Ref(), Why: why, More: more, Tally: s.tally})
	}
}

// oldest returns the object of a stage to report: one that is applied and not ready, else one that is not applied.
func (e *engine) oldest(s *stage) (first *item, more int) {
	for _, it := range e.items {
		if it.stage != s || it.ready {
			continue
		}
		more++
		if first == nil || first.state != sent && it.state == sent {
			first = it
		}
	}
	return first, more - 1
}

// reason says what an object waits for.
func (e *engine) reason(it *item) string {
	g, gated := e.closedGate(it)
	switch {
	case it.cause != "":
		return it.cause
	case gated:
		return "waits for " + g.String()
	case it.state == sending && it.why == "":
		return "waits for the API server's response"
	case it.why == "":
		return "to be applied"
	}
	return kube.Cause(it.why)
}

// pending lists the objects that are not ready, applied ones first, each with the reason.
func (e *engine) pending() []Pending {
	var sentOnes, others []Pending
	for _, it := range e.items {
		switch {
		case it.ready:
		case it.state == sent:
			sentOnes = append(sentOnes, Pending{it.Ref(), e.reason(it)})
		default:
			others = append(others, Pending{it.Ref(), e.reason(it)})
		}
	}
	return append(sentOnes, others...)
}

// interrupted ends the run at the deadline or at an interruption.
func (e *engine) interrupted(ctx context.Context) error {
	if ctx.Err() == context.Canceled {
		return ctx.Err()
	}
	looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	return e.unfinished(looking, false)
}

func (e *engine) unfinished(ctx context.Context, stuck bool) error {
	u := &UnfinishedError{Pending: e.pending(), Stuck: stuck}
	if !stuck {
		u.cause = context.DeadlineExceeded
	}
	view := e.client.View()
	for i, p := range u.Pending {
		if i == plan.MaxListed {
			break
		}
		at := e.at[p.Ref.Identity()]
		if q, ok := e.waitCheckFor(at, e.items[at]); ok {
			u.Pending[i].Why = cmp.Or(q.run(ctx, view).why, p.Why)
		}
	}
	return u
}

// gateStateOf returns the state of a gate.
func (e *engine) gateStateOf(g plan.Gate) *gateState {
	return e.gates[g.Key()]
}
