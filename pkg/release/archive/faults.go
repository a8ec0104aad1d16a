package archive

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

var (
	errStalled  = errors.New("the connection went silent")
	errRedirect = errors.New("it is sent on to somewhere that cannot be followed")
)

// fault decides whether to retry a failed request. All network errors are retried, except permanent ones,
// the deadline of all attempts together, and Ctrl-C.
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
	err = fmt.Errorf("fetching %s: %w", redact.URL(address), err)
	if lasting(err) {
		return err
	}
	return &transientError{err: err}
}

// lasting reports errors that a retry cannot change.
func lasting(err error) bool {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &certificate) || errors.Is(err, errRedirect)
}

// status decides what to do with a response: use it, try another address, retry, or fail.
func status(response *http.Response, address string, now time.Time) error {
	code := response.StatusCode
	switch {
	case code == http.StatusOK:
		return nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return errNotThere
	}
	err := fmt.Errorf("fetching %s: the server answered %s", redact.URL(address), response.Status)
	if code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500 {
		return &transientError{err: err, after: min(retryAfter(response.Header.Get("Retry-After"), now), time.Minute)}
	}
	return err
}

// retryAfter reads the Retry-After header, in seconds or as a date.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return date.Sub(now)
	}
	return 0
}
