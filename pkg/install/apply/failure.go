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

// handleError retries a failed request, or ends the run.
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

// retryDelay is the time before a retry: exponential, and at least what the server asks for.
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

// failures counts the consecutive failures of an object.
type failures struct {
	text          string
	repeats       int // consecutive failures with this text
	since         time.Time
	notFoundSince time.Time // since when the server does not find its kind or namespace
	webhooksReady bool      // the webhooks that match it have ready endpoints
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
	discoveryLag     = 60 * time.Second // how long a new kind or namespace may be unknown to parts of the server
	schemaLag        = 20 * time.Second // how long the server may judge objects by the CRD that this run has replaced
	sameErrorLimit   = 5                // consecutive equal server errors before the error can be permanent
	outageTolerance  = 30 * time.Second // how long a server may fail
	webhookTolerance = 20 * time.Second // how long a webhook with ready endpoints may fail
)

// permanent reports whether a retry cannot help.
func (e *engine) permanent(it *item, err error) bool {
	switch {
	case errors.Is(err, context.Canceled):
		return true
	case errors.Is(err, context.DeadlineExceeded):
		return false
	case it.KindChanges && time.Since(it.since) < schemaLag:
		return false
	case apierrors.IsNotFound(err):
		return time.Since(it.failures.notFoundSince) > discoveryLag
	case apierrors.IsInternalError(err):
		return e.repeatsForever(it)
	}
	return !e.client.Transient(err)
}

// repeatsForever reports whether a repeated server error is permanent: the server accepts other objects, or the webhook has
// ready endpoints.
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
