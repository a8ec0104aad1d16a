package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// Retry says how often to try and how long to wait between attempts.
type Retry struct {
	Attempts int
	Wait     func(attempt int) time.Duration
	// Stall is how long a connection may say nothing before it counts as broken.
	Stall time.Duration
}

// usual is five attempts in fifteen seconds: enough for a proxy that hiccups.
var usual = Retry{Attempts: 5, Wait: func(attempt int) time.Duration { return time.Second << attempt }, Stall: time.Minute}

// errNotThere is what 404 and 410 mean: no use in asking again, but another address may have it.
var errNotThere = errors.New("not there")

// A transientError may be gone at the next attempt.
type transientError struct {
	err   error
	after time.Duration
}

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// get downloads one address, again and again while the fault is one that passes.
func (f *Fetcher) get(ctx context.Context, address string) ([]byte, error) {
	retry := f.retry()
	for attempt := 0; ; attempt++ {
		content, err := f.attempt(ctx, address, retry.Stall)
		var transient *transientError
		if err == nil || !errors.As(err, &transient) || attempt+1 >= retry.Attempts {
			return content, err
		}
		wait := max(retry.Wait(attempt), transient.after)
		f.say("fetching %s again in %s: %v", address, wait, transient.err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
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
		return nil, fmt.Errorf("fetching %s: %w", address, err)
	}
	response, err := f.client().Do(request)
	if err != nil {
		return nil, f.fault(ctx, address, err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := status(response, address); err != nil {
		return nil, err
	}
	limit := f.limits().Download
	content, err := io.ReadAll(io.LimitReader(&fed{response.Body, watchdog, stall}, limit+1))
	if err != nil {
		return nil, f.fault(ctx, address, err)
	}
	if int64(len(content)) > limit {
		return nil, bad("%s is larger than %d MiB", address, limit>>20)
	}
	return content, nil
}

var errStalled = errors.New("the connection went silent")

// fault decides whether a failed request is worth another attempt. All network faults are, but for a
// name that does not exist and for the user's own Ctrl-C.
func (f *Fetcher) fault(ctx context.Context, address string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		if !errors.Is(cause, errStalled) {
			return cause
		}
		err = cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	err = fmt.Errorf("fetching %s: %w", address, err)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return err
	}
	return &transientError{err: err}
}

func status(response *http.Response, address string) error {
	code := response.StatusCode
	switch {
	case code == http.StatusOK:
		return nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return errNotThere
	}
	err := fmt.Errorf("fetching %s: the server answered %s", address, response.Status)
	if code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500 {
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // none, or a date: the usual wait does
		return &transientError{err: err, after: min(time.Duration(seconds)*time.Second, time.Minute)}
	}
	return err
}

// fed feeds the watchdog with every read.
type fed struct {
	io.Reader
	watchdog *time.Timer
	stall    time.Duration
}

func (r *fed) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.watchdog.Reset(r.stall)
	return n, err
}

// client honours HTTPS_PROXY and its like as they are now, not as they were when the program began.
func (f *Fetcher) client() *http.Client {
	f.once.Do(func() {
		if f.own = f.HTTP; f.own != nil {
			return
		}
		proxy := httpproxy.FromEnvironment().ProxyFunc()
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.Proxy = func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }
		f.own = &http.Client{Transport: transport}
	})
	return f.own
}

func readFile(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(content)) > limit {
		return nil, bad("%s is larger than %d MiB", name, limit>>20)
	}
	return content, err
}
