package apply

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

type (
	appliedUpdate struct {
		i   int
		o   *unstructured.Unstructured
		err error
	}
	retryUpdate struct{ i int }
)

// requestTimeout is longer than the API server's own request timeout.
const requestTimeout = 90 * time.Second

// send applies one object.
func (e *engine) send(ctx context.Context, i int) {
	it := e.items[i]
	it.state, it.sentAt = sending, time.Now()
	if it.since.IsZero() {
		it.since = time.Now()
		e.startStage(it.stage)
	}
	e.inFlight++
	if it.Replaces != nil {
		it.why = "waits until the existing object is deleted"
	}
	g := it.Gated
	go func() {
		if g.Replaces == nil && g.Migration == nil { // otherwise it also waits for a deletion, or for many objects
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, requestTimeout)
			defer cancel()
		}
		o, err := applyOne(ctx, e.client, g, func(why string) { e.updates <- migratedUpdate{i, why} })
		e.updates <- appliedUpdate{i, o, err}
	}()
}

func (f appliedUpdate) handle(e *engine) {
	e.inFlight--
	it := e.items[f.i]
	if f.err != nil {
		e.handleError(f.i, f.err)
		return
	}
	it.state, it.applied, it.why, it.cause, it.waitingSince = sent, f.o, "", "", time.Now()
	e.lastSuccess = time.Now()
	e.result.Applied++
	changed := f.o.GetResourceVersion() != it.Version
	if changed {
		e.result.Changed++
	}
	e.watch(it)
	e.countApplied(it)
	e.options.Observe(events.ObjectApplied{Stage: it.stage.name, Ref: it.Ref(), Changed: changed, Tally: it.stage.tally})
	e.openGate(plan.Gate{Kind: plan.NamespaceGate, On: it.Ref().Identity()})
	e.observe(f.i, f.o)
}

// countApplied counts an object that is applied or unchanged.
func (e *engine) countApplied(it *item) {
	it.stage.tally.Applied++
	e.unapplied--
	if e.unapplied == 0 {
		e.result.ApplyTook = time.Since(e.started)
		e.served.prioritizeAll()
	}
}

func (f retryUpdate) handle(e *engine) {
	if it := e.items[f.i]; it.state == sending {
		it.state = waiting
	}
}
