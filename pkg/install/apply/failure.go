package apply

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// refused decides what to do about a request that failed: send it again later, or stop everything.
func (e *engine) refused(i int, err error) {
	it := e.items[i]
	it.failures.count(err)
	if e.permanent(it, err) {
		if !errors.Is(err, context.Canceled) {
			e.stop(it, err)
		}
		return
	}
	it.why, it.tries = plan.InnermostOf(err), it.tries+1
	e.result.Retried++
	e.options.Observe(events.Retrying{Ref: it.Ref(), Err: err})
	time.AfterFunc(pauseAfter(it.tries-1, err), func() {
		select {
		case e.facts <- againFact{i}:
		case <-e.watches.ctx.Done():
		}
	})
}

// pauseAfter is how long to wait before a request is sent again: what the server asks for, else longer each time.
func pauseAfter(tries int, err error) time.Duration {
	pause := kube.Backoff(tries)
	if seconds, asked := apierrors.SuggestsClientDelay(err); asked {
		pause = max(pause, time.Duration(seconds)*time.Second)
	}
	if apierrors.IsNotFound(err) {
		pause = min(pause, time.Second)
	}
	return pause
}

// failures are the refusals that an object has met in a row.
type failures struct {
	text  string
	same  int // times the server gave this very one
	since time.Time
	lost  time.Time // since when the server does not know its kind or namespace
	known bool      // the webhooks that are asked about it answer, as far as can be seen
}

func (f *failures) count(err error) {
	if text := plan.InnermostOf(err); f.text != text {
		f.text, f.same, f.since, f.known = text, 0, time.Now(), false
	}
	f.same++
	if !apierrors.IsNotFound(err) {
		f.lost = time.Time{}
	} else if f.lost.IsZero() {
		f.lost = time.Now()
	}
}

const (
	freshFor = 60 * time.Second // how long a server may take to hear of a new kind or namespace in all its parts
	often    = 5                // times the same server error comes before it is taken for the last word
	outage   = 30 * time.Second // how long a server may be in trouble
	heldUp   = 20 * time.Second // how long a webhook whose server is up may still fail
)

// permanent tells whether sending an object again cannot help.
func (e *engine) permanent(it *item, err error) bool {
	switch {
	case errors.Is(err, context.Canceled):
		return true
	case errors.Is(err, context.DeadlineExceeded):
		return false
	case apierrors.IsNotFound(err):
		return time.Since(it.failures.lost) > freshFor
	case apierrors.IsInternalError(err):
		return e.hopeless(it)
	}
	return !e.client.Transient(err)
}

// hopeless tells whether a server error that repeats will not pass: the server chokes on the object while it takes
// others, or a webhook fails though what serves it is up.
func (e *engine) hopeless(it *item) bool {
	f := it.failures
	if f.same < often {
		return false
	}
	if it.Guarded {
		return f.known && time.Since(f.since) > heldUp
	}
	return e.took.After(f.since) || time.Since(f.since) > outage
}
