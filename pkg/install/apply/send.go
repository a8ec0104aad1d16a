package apply

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

type (
	appliedFact struct {
		i   int
		o   *unstructured.Unstructured
		err error
	}
	againFact struct{ i int }
)

// answerWithin is longer than an API server takes to give up on a request itself.
const answerWithin = 90 * time.Second

// send applies one object.
func (e *engine) send(ctx context.Context, i int) {
	it := e.items[i]
	it.state, it.sentAt = sending, time.Now()
	if it.since.IsZero() {
		it.since = time.Now()
		e.start(it.stage)
	}
	e.busy++
	if it.Clear != nil {
		it.why = "waits until the one before it is gone"
	}
	g := it.Gated
	go func() {
		if g.Clear == nil { // else it also waits until something is gone
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, answerWithin)
			defer cancel()
		}
		o, err := bring(ctx, e.client, g)
		e.facts <- appliedFact{i, o, err}
	}()
}

func (f appliedFact) tell(e *engine) {
	e.busy--
	it := e.items[f.i]
	if f.err != nil {
		e.refused(f.i, f.err)
		return
	}
	it.state, it.applied, it.why, it.because, it.waitsSince = sent, f.o, "", "", time.Now()
	e.took = time.Now()
	e.result.Applied++
	changed := f.o.GetResourceVersion() != it.Version
	if changed {
		e.result.Changed++
	}
	e.follow(it)
	e.sentOne(it)
	e.options.Observe(events.ObjectApplied{Stage: it.stage.name, Ref: it.Ref(), Changed: changed, Tally: it.stage.tally})
	e.opened(plan.Gate{Kind: plan.NamespaceGate, On: it.Ref().Identity()})
	e.see(f.i, f.o)
}

// sentOne counts an object that is applied, or needs no request.
func (e *engine) sentOne(it *item) {
	it.stage.tally.Applied++
	e.unsent--
	if e.unsent == 0 {
		e.result.ApplyTook = time.Since(e.started)
		e.served.hurry()
	}
}

func (f againFact) tell(e *engine) {
	if it := e.items[f.i]; it.state == sending {
		it.state = waiting
	}
}
