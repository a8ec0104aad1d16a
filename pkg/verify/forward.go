package verify

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/portforward"
)

// forwards are the port-forwards of a session.
type forwards struct {
	mu   sync.Mutex
	made map[string]*forwarded
	ends []func()
}

// A forwarded is one port-forward, which tests share.
type forwarded struct {
	mu      sync.Mutex
	address string
}

// to returns the port-forward to some pods.
func (f *forwards) to(pods string) *forwarded {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made == nil {
		f.made = map[string]*forwarded{}
	}
	if f.made[pods] == nil {
		f.made[pods] = &forwarded{}
	}
	return f.made[pods]
}

func (f *forwards) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, end := range f.ends {
		end()
	}
	f.ends = nil
}

// forward carries connections to the pods of a Service, now or as soon as one is ready. It returns the local address.
func (s *Session) forward(ctx context.Context, to dashboard.Gateway) (address string, err error) {
	shared := s.forwards.to(fmt.Sprint(to.Namespace(), to.Service.Spec.Selector, to.Listeners[0].Target))
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.address == "" {
		shared.address, err = s.newForward(ctx, to)
	}
	return shared.address, err
}

func (s *Session) newForward(ctx context.Context, to dashboard.Gateway) (address string, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	first, tell := make(chan struct{}), sync.Once{}
	f := &portforward.Forwarder{Client: s.Client, Gateway: to, Notify: func(portforward.Event) { tell.Do(func() { close(first) }) }}
	ended := make(chan struct{})
	var failed error
	go func() {
		defer close(ended)
		failed = f.Serve(running, []net.Listener{listener})
	}()
	select {
	case <-first:
	case <-ended: // it is not permitted
		stop()
		return "", failed
	case <-ctx.Done():
	}
	s.forwards.mu.Lock()
	defer s.forwards.mu.Unlock()
	s.forwards.ends = append(s.forwards.ends, func() { stop(); <-ended })
	return listener.Addr().String(), nil
}

// forwardTo carries connections to a port of the pods with these labels.
func (s *Session) forwardTo(ctx context.Context, namespace string, selector map[string]string, port intstr.IntOrString) (address string, err error) {
	service := &corev1.Service{Spec: corev1.ServiceSpec{Selector: selector}}
	service.Namespace = namespace
	return s.forward(ctx, dashboard.Gateway{Service: service, Listeners: []dashboard.Listener{{Target: port}}})
}

// inside is an HTTP client of a component's pods that names the user as the gateway would.
type inside struct {
	address string
	user    string
}

func (c inside) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if c.user != "" {
		r.Header.Set(userHeader, c.user)
	}
	return transport.RoundTrip(r)
}

const userHeader = "kubeflow-userid"

// transport reaches 127.0.0.1 only. The API server authenticated the pod behind the port-forward, whose certificate is for another name.
var transport = &http.Transport{
	Proxy: nil, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	DisableKeepAlives: true, ResponseHeaderTimeout: 30 * time.Second,
}

// gatewayURL forwards to the gateway and returns its URL.
func (s *Session) gatewayURL(ctx context.Context) (string, error) {
	address, err := s.forward(ctx, s.front)
	if err != nil {
		return "", err
	}
	if s.front.Listeners[0].TLS {
		return "https://" + address, nil
	}
	return "http://" + address, nil
}
