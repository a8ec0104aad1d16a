package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// answers stands between client-go and the network, and gives what happens there its type: client-go itself tells
// much of it in words alone.
type answers struct {
	next   http.RoundTripper
	client *Client
}

func (a answers) RoundTrip(request *http.Request) (*http.Response, error) {
	request, answered := a.client.limitSilence(request)
	response, err := a.next.RoundTrip(request)
	answered()
	if err != nil {
		if silent := context.Cause(request.Context()); errors.Is(silent, errSilent) {
			err = silent
		}
		return response, &noAnswer{err}
	}
	if foreign := notTheAPI(response); foreign != nil {
		_ = response.Body.Close()
		return nil, foreign
	}
	a.client.reached.Store(true)
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		a.client.clock.Store(int64(time.Until(date).Round(time.Second)))
	}
	if response.StatusCode != http.StatusSwitchingProtocols { // there the body is also written to
		response.Body = &answerBody{response.Body}
	}
	return response, nil
}

// silence is how long a server may take for its first answer. One that has answered gets as long as the request has.
const silence = 10 * time.Second

// errSilent is the error of a request to a server that has not answered anything.
var errSilent error = silentError{}

type silentError struct{}

func (silentError) Error() string   { return fmt.Sprintf("no answer within %s", silence) }
func (silentError) Timeout() bool   { return true }
func (silentError) Temporary() bool { return true }

// limitSilence gives a request until the limit for the server's first answer, counted from the first request of all. Its answer's body is
// read without a limit: call answered once there is an answer. A timeout that the user chose is obeyed instead.
func (c *Client) limitSilence(request *http.Request) (limited *http.Request, answered func()) {
	if c.reached.Load() {
		return request, func() {}
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	giveUp := func(why error) { cancel(why) } // not when there is an answer: its body is still to be read
	ended := func() bool { return true }
	if c.life != nil {
		ended = context.AfterFunc(c.life, func() { giveUp(context.Cause(c.life)) })
	}
	request = request.WithContext(ctx)
	if c.Config.Timeout > 0 {
		return request, func() { ended() }
	}
	c.asked.CompareAndSwap(0, time.Now().UnixNano())
	left := max(silence-time.Since(time.Unix(0, c.asked.Load())), 0)
	timer := time.AfterFunc(left, func() {
		if !c.reached.Load() {
			giveUp(errSilent)
		}
	})
	return request, func() {
		timer.Stop()
		ended()
	}
}

// WrappedRoundTripper returns the transport below, for who looks through the layers.
func (a answers) WrappedRoundTripper() http.RoundTripper { return a.next }

// A noAnswer is the error of a request that was sent and got no answer, or half of one. What signs in stands outside of it.
type noAnswer struct{ error }

func (n *noAnswer) Unwrap() error { return n.error }

// Timeout is what url.Error asks its cause.
func (n *noAnswer) Timeout() bool {
	var slow net.Error
	return errors.As(n.error, &slow) && slow.Timeout()
}

// answerBody gives an answer that breaks off its type.
type answerBody struct{ io.ReadCloser }

func (b *answerBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if err != nil && err != io.EOF {
		err = &noAnswer{err}
	}
	return n, err
}

// notTheAPI tells, as a Problem, that a web page came where an API server's answer should: no API server sends one.
func notTheAPI(response *http.Response) error {
	kind := response.Header.Get("Content-Type")
	if response.StatusCode >= 300 || !strings.HasPrefix(kind, "text/html") || strings.Contains(response.Request.URL.Path, "/proxy") {
		return nil
	}
	return &problem.Error{What: fmt.Sprintf("something on the way to %s answers in its place, with a web page", response.Request.URL.Host),
		Next: "Sign in to the network, or see which proxy HTTPS_PROXY and the kubeconfig name; then run the same command again: it resumes from here"}
}
