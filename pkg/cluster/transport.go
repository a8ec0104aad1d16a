package cluster

import (
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
	response, err := a.next.RoundTrip(request)
	if err != nil {
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
