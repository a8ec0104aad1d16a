package portforward

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A tunnel is one connection through the API server to one pod; any number of streams share it.
type tunnel struct {
	conn httpstream.Connection
	port string
	last atomic.Int64 // the request's number that pairs its two streams

	mu      sync.Mutex
	users   int
	retired bool // accepts no new stream, and closes after the last one
}

// dial opens a tunnel: over a WebSocket, or over SPDY if the API server or a proxy does not support that.
func dial(ctx context.Context, c *cluster.Client, pod *corev1.Pod, port int32) (*tunnel, error) {
	target := c.Kube.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(c.Config)
	if err != nil {
		return nil, err
	}
	dialer := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	if websocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, c.Config); err == nil {
		dialer = portforward.NewFallbackDialerForStreaming(websocket, dialer, noWebSocket)
	}
	type dialled struct {
		conn httpstream.Connection
		err  error
	}
	done := make(chan dialled, 1)
	go func() { // the dialers take no context
		conn, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		done <- dialled{conn, err}
	}()
	select {
	case d := <-done:
		if d.err != nil {
			return nil, fmt.Errorf("connecting to pod %s/%s: %w", pod.Namespace, pod.Name, d.err)
		}
		return &tunnel{conn: d.conn, port: strconv.Itoa(int(port))}, nil
	case <-ctx.Done():
		go func() {
			if d := <-done; d.conn != nil {
				d.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// noWebSocket reports whether an API server (before 1.30) or a proxy does not support WebSockets.
func noWebSocket(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

func (t *tunnel) closed() <-chan bool { return t.conn.CloseChan() }

func (t *tunnel) close() { t.conn.Close() }

// retire lets the streams of the tunnel finish, and accepts no new ones.
func (t *tunnel) retire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retired = true
	if t.users == 0 {
		t.conn.Close()
	}
}

func (t *tunnel) acquire() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.retired {
		return false
	}
	t.users++
	return true
}

func (t *tunnel) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users--
	if t.retired && t.users == 0 {
		t.conn.Close()
	}
}

// errStale is the error for a tunnel that takes no new connection: the caller waits for the next tunnel.
var errStale = errors.New("the tunnel takes no new connection")

// open makes the pair of streams that carry one connection. It does not block on a tunnel that is dead.
func (t *tunnel) open(ctx context.Context) (*stream, error) {
	if !t.acquire() {
		return nil, errStale
	}
	type opened struct {
		*stream
		err error
	}
	done := make(chan opened, 1)
	go func() {
		s, err := t.streams()
		done <- opened{s, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			t.release()
			return nil, o.err
		}
		return o.stream, nil
	case <-t.closed():
	case <-ctx.Done():
	}
	t.release()
	return nil, errStale
}

func (t *tunnel) streams() (*stream, error) {
	header := http.Header{}
	header.Set(corev1.StreamType, corev1.StreamTypeError)
	header.Set(corev1.PortHeader, t.port)
	header.Set(corev1.PortForwardRequestIDHeader, strconv.FormatInt(t.last.Add(1), 10))
	failure, err := t.conn.CreateStream(header)
	if err != nil {
		return nil, err
	}
	failure.Close() // only the pod writes here
	header.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := t.conn.CreateStream(header)
	if err != nil {
		t.conn.RemoveStreams(failure)
		return nil, err
	}
	return &stream{tunnel: t, data: data, failure: failure}, nil
}
