//go:build unix

package sandboxtest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// StopAPIServer kills the API server of a sandbox that [Start] started, and returns when it is gone. etcd, the controllers and the
// simulation of AKS keep running.
func StopAPIServer(kubeconfig string) error { return apiServer("stop", kubeconfig) }

// StartAPIServer starts it again at the same address, with what was stored, and returns when it is ready.
func StartAPIServer(kubeconfig string) error { return apiServer("start", kubeconfig) }

func apiServer(verb, kubeconfig string) error {
	path, err := program()
	if err != nil {
		return err
	}
	if out, err := exec.Command(path, "apiserver", verb, "--name="+kubeconfig).CombinedOutput(); err != nil {
		return fmt.Errorf("%s apiserver %s: %w\n%s", path, verb, err, out)
	}
	return nil
}

// A Phase says what becomes of the request in whose course the API server stops.
type Phase string

// The phases of a request.
const (
	Before Phase = "before" // the server is gone when the request is sent
	During Phase = "during" // it is killed while it works on the request
	After  Phase = "after"  // it has done what it was asked, and the answer is lost
)

// A Moment is when the API server stops, and for how long.
type Moment struct {
	At    int // so many requests go through first; if it is negative it does not stop
	Phase Phase
	Down  time.Duration // from when it is gone until it starts again, which takes seconds more
}

// An Outage stops the API server in the course of one request of a client, and starts it again after a while.
type Outage struct {
	Moment
	kubeconfig string
	mu         sync.Mutex
	seen       int
	began      bool
	back       chan struct{}
	took       time.Duration
	failed     error
}

// NewOutage returns the outage of a sandbox that [Start] started.
func NewOutage(kubeconfig string, m Moment) *Outage {
	return &Outage{Moment: m, kubeconfig: kubeconfig, back: make(chan struct{})}
}

// Meet makes a client's requests count. It is the WrapConfigFn of genericclioptions.ConfigFlags.
func (o *Outage) Meet(config *rest.Config) *rest.Config {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return meeting{o, next} })
	return config
}

// Requests returns how many requests the client has sent.
func (o *Outage) Requests() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen
}

// Ended waits until the server is back, and returns how long it was away; 0 if it was not.
func (o *Outage) Ended() (time.Duration, error) {
	o.mu.Lock()
	began := o.began
	o.mu.Unlock()
	if !began {
		return 0, nil
	}
	<-o.back
	return o.took, o.failed
}

func (o *Outage) begins() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen++
	if o.began || o.At < 0 || o.seen <= o.At {
		return false
	}
	o.began = true
	return true
}

func (o *Outage) stop() {
	began := time.Now()
	o.failed = StopAPIServer(o.kubeconfig)
	time.AfterFunc(o.Down, func() {
		defer close(o.back)
		o.failed = errors.Join(o.failed, StartAPIServer(o.kubeconfig))
		o.took = time.Since(began)
	})
}

type meeting struct {
	*Outage
	next http.RoundTripper
}

func (m meeting) RoundTrip(request *http.Request) (*http.Response, error) {
	if !m.begins() {
		return m.next.RoundTrip(request)
	}
	switch m.Phase {
	case Before:
		m.stop()
	case During:
		go m.stop()
	case After:
		response, err := m.next.RoundTrip(request)
		m.stop()
		if err == nil {
			_ = response.Body.Close()
		}
		return nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return m.next.RoundTrip(request)
}

// WrappedRoundTripper returns the transport below, for who looks through the layers.
func (m meeting) WrappedRoundTripper() http.RoundTripper { return m.next }
