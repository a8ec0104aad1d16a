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

// handleError decides what to do about a request that failed: send it again later, or stop everything.
func (e *engine) handleError(i int, err error) {
	it := e.items[i]
	it.failures.count(err)
	if e.permanent(it, err) {
		if !errors.Is(err, context.Canceled) {
			e.fail(it, err)
		}
		return
	}
	it.why, it.tries = plan.InnermostMessage(err), it.tries+1
	e.result.Retried++
	e.options.Observe(events.Retrying{Ref: it.Ref(), Err: err})
	time.AfterFunc(retryDelay(it.tries-1, err), func() {
		select {
		case e.updates <- retryUpdate{i}:
		case <-e.watches.ctx.Done():
		}
	})
}

// retryDelay is how long to wait before a request is sent again: what the server asks for, else longer each time.
func retryDelay(tries int, err error) time.Duration {
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
	text          string
	repeats       int // times the server gave this very one
	since         time.Time
	notFoundSince time.Time // since when the server does not know its kind or namespace
	webhooksReady bool      // the webhooks that are asked about it answer, as far as can be seen
}

func (f *failures) count(err error) {
	if text := plan.InnermostMessage(err); f.text != text {
		f.text, f.repeats, f.since, f.webhooksReady = text, 0, time.Now(), false
	}
	f.repeats++
	if !apierrors.IsNotFound(err) {
		f.notFoundSince = time.Time{}
	} else if f.notFoundSince.IsZero() {
		f.notFoundSince = time.Now()
	}
}

const (
	discoveryLag     = 60 * time.Second // how long a server may take to hear of a new kind or namespace in all its parts
	sameErrorLimit   = 5                // times the same server error comes before it is taken for the last word
	outageTolerance  = 30 * time.Second // how long a server may be in trouble
	webhookTolerance = 20 * time.Second // how long a webhook whose server is up may still fail
)

// permanent tells whether sending an object again cannot help.
func (e *engine) permanent(it *item, err error) bool {
	switch {
	case errors.Is(err, context.Canceled):
		return true
	case errors.Is(err, context.DeadlineExceeded):
		return false
	case apierrors.IsNotFound(err):
		return time.Since(it.failures.notFoundSince) > discoveryLag
	case apierrors.IsInternalError(err):
		return e.repeatsForever(it)
	}
	return !e.client.Transient(err)
}

// repeatsForever tells whether a server error that repeats will not pass: the server chokes on the object while it takes
// others, or a webhook fails though what serves it is up.
func (e *engine) repeatsForever(it *item) bool {
	f := it.failures
	if f.repeats < sameErrorLimit {
		return false
	}
	if it.Guarded {
		return f.webhooksReady && time.Since(f.since) > webhookTolerance
	}
	return e.lastSuccess.After(f.since) || time.Since(f.since) > outageTolerance
}
