package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

// Retry says how often to try and how long to wait between attempts.
type Retry struct {
	Attempts int
	Wait     func(attempt int) time.Duration
	// Stall is how long a connection may be silent before it counts as broken.
	Stall time.Duration
	// Total limits the time for one address with all attempts; zero means no limit.
	Total time.Duration
}

// usual is the default: five attempts in fifteen seconds, enough for short interruptions of a proxy.
var usual = Retry{
	Attempts: 5, Wait: func(attempt int) time.Duration { return time.Second << attempt },
	Stall: time.Minute, Total: 15 * time.Minute,
}

// errNotThere stands for 404 and 410: a retry does not help, but another address may have the content.
var errNotThere = errors.New("not there")

// A transientError may not occur at the next attempt.
type transientError struct {
	err   error
	after time.Duration
}

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// get downloads one address, and retries transient errors.
func (f *Fetcher) get(ctx context.Context, address string) ([]byte, error) {
	retry := f.retry()
	if retry.Total > 0 {
		cause := fmt.Errorf("fetching %s took longer than %s", redact.URL(address), retry.Total)
		limited, cancel := context.WithTimeoutCause(ctx, retry.Total, cause)
		defer cancel()
		ctx = limited
	}
	for attempt := 0; ; attempt++ {
		content, err := f.attempt(ctx, address, retry.Stall)
		var transient *transientError
		if err == nil || !errors.As(err, &transient) || attempt+1 >= retry.Attempts {
			return content, err
		}
		wait := max(retry.Wait(attempt), transient.after)
		f.say("fetching %s again in %s: %v", redact.URL(address), wait, transient.err)
		if kube.Sleep(ctx, wait) != nil {
			return nil, context.Cause(ctx)
		}
	}
}

func (f *Fetcher) retry() Retry {
	if f.Retry.Attempts == 0 {
		return usual
	}
	return f.Retry
}

func (f *Fetcher) attempt(ctx context.Context, address string, stall time.Duration) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(stall, func() { cancel(errStalled) })
	defer watchdog.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", redact.URL(address), err)
	}
	response, err := f.client().Do(request)
	if err != nil {
		return nil, f.fault(ctx, address, err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := status(response, address, time.Now()); err != nil {
		return nil, err
	}
	limit := f.limits().Download
	content, err := bounded.All(ctx, &fed{Reader: response.Body, watchdog: watchdog, stall: stall, got: f.counter(address, response.ContentLength)}, limit)
	var over *bounded.Error
	if errors.As(err, &over) {
		return nil, bad("%s cannot be used: %v", address, over)
	}
	if err != nil {
		return nil, f.fault(ctx, address, err)
	}
	return content, nil
}

// fed resets the watchdog at every read.
type fed struct {
	io.Reader
	watchdog *time.Timer
	stall    time.Duration
	got      func(n int)
}

// counter returns a function that reports how much of a response has come, a few times a second.
func (f *Fetcher) counter(address string, total int64) func(n int) {
	if f.Got == nil {
		return func(int) {}
	}
	got, last := int64(0), time.Time{}
	return func(n int) {
		if got += int64(n); got == total || time.Since(last) >= 100*time.Millisecond {
			last = time.Now()
			f.Got(address, got, total)
		}
	}
}

func (r *fed) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.watchdog.Reset(r.stall)
	r.got(n)
	return n, err
}
