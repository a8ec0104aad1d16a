package install

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

type (
	appliedFact struct {
		i   int
		o   *object
		err error
	}
	againFact struct{ i int }
)

// send applies one object.
func (e *engine) send(ctx context.Context, i int) {
	it := e.items[i]
	it.state = sending
	if it.since.IsZero() {
		it.since = time.Now()
		e.start(it.stage)
	}
	e.busy++
	if it.clear != nil {
		it.why = "waits until the one before it is gone"
	}
	g := it.Gated
	go func() {
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
	e.result.Applied++
	changed := f.o.GetResourceVersion() != it.version
	if changed {
		e.result.Changed++
	}
	e.follow(it)
	e.sentOne(it)
	e.options.Observe(ObjectApplied{Stage: it.stage.name, Ref: it.Ref(), Changed: changed, Tally: it.stage.tally})
	e.opened(Gate{Kind: NamespaceGate, On: it.Ref().Identity()})
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

// refused decides what to do about a request that failed: send it again later, or stop everything.
func (e *engine) refused(i int, err error) {
	it := e.items[i]
	fresh := time.Since(it.since) < freshFor
	if permanent(err, fresh) || e.hopeless(it, err) {
		if !errors.Is(err, context.Canceled) {
			it.version = e.versionOf(it)
			e.failed = stopped(it.Gated, err)
		}
		return
	}
	it.why = err.Error()
	it.tries++
	e.result.Retried++
	e.options.Observe(Retrying{Ref: it.Ref(), Err: err})
	pause := backoff(it.tries - 1)
	if apierrors.IsNotFound(err) {
		pause = min(pause, time.Second)
	}
	time.AfterFunc(pause, func() {
		select {
		case e.facts <- againFact{i}:
		case <-e.watches.ctx.Done():
		}
	})
}

// freshFor is how long a server may take to hear of a new kind or namespace in all its parts.
const freshFor = 60 * time.Second

// hopeless tells whether a server error repeats that no webhook can be the cause of: the server chokes on the object.
func (e *engine) hopeless(it *item, err error) bool {
	if it.guarded || !apierrors.IsInternalError(err) {
		return false
	}
	if it.lastErr != err.Error() {
		it.lastErr, it.same = err.Error(), 0
	}
	it.same++
	return it.same > 4
}

func (e *engine) versionOf(it *item) string {
	if it.version != "" {
		return it.version
	}
	if o, err := e.client.View().Get(e.watches.ctx, it.Ref()); err == nil {
		return o.GetResourceVersion()
	}
	return ""
}

func (f againFact) tell(e *engine) {
	if it := e.items[f.i]; it.state == sending {
		it.state = waiting
	}
}
