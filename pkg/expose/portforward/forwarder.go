package portforward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// A Forwarder carries connections from this computer to the gateway, whichever of its pods is ready.
// Pods come and go behind it: a connection that comes in meanwhile waits for the next one.
type Forwarder struct {
	Client  *cluster.Client
	Gateway dashboard.Gateway
	Notify  func(Event) // reports what happens; it may be called from several goroutines

	mu      sync.Mutex
	current *tunnel
	changed chan struct{} // closed when current changes
}

// A Event is something that happened to a Forward.
type Event struct {
	Connected string // the pod that connections now go to
	Waiting   string // why they go nowhere, and wait
}

// Serve carries what the listeners accept until the context ends. It closes the listeners, and leaves nothing running.
// It returns an error only when it cannot go on: no permission, or a listener that breaks.
func (f *Forwarder) Serve(ctx context.Context, listeners []net.Listener) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	f.changed = make(chan struct{})
	var running sync.WaitGroup
	for _, l := range listeners {
		running.Go(func() { f.accept(ctx, l, &running, stop) })
		context.AfterFunc(ctx, func() { l.Close() })
	}
	running.Go(func() {
		if err := f.connect(ctx); err != nil {
			stop(err)
		}
	})
	<-ctx.Done()
	running.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func (f *Forwarder) accept(ctx context.Context, l net.Listener, running *sync.WaitGroup, stop context.CancelCauseFunc) {
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() == nil {
				stop(fmt.Errorf("accepting connections on %s: %w", l.Addr(), err))
			}
			return
		}
		running.Go(func() { f.handle(ctx, conn) })
	}
}

// handle serves one connection, on the tunnel that is there or on the next one.
func (f *Forwarder) handle(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	v := &client{conn: conn}
	for tries := 1; ; tries++ {
		t := f.tunnel(ctx)
		if t == nil {
			return
		}
		s, err := t.open(ctx)
		if err != nil { // nothing was sent yet, so the next tunnel can have it
			f.drop(t)
			continue
		}
		err = s.pipe(ctx, v)
		again := v.repeatable() && tries < 5
		if err != nil || again {
			f.drop(t) // the pod's side may have gone: those who come now get a fresh tunnel
		}
		if !again {
			return
		}
	}
}

// tunnel returns the tunnel in use, waiting for one; nil when the context ends.
func (f *Forwarder) tunnel(ctx context.Context) *tunnel {
	for {
		f.mu.Lock()
		t, changed := f.current, f.changed
		f.mu.Unlock()
		if t != nil {
			return t
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

func (f *Forwarder) publish(t *tunnel) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current = t
	close(f.changed)
	f.changed = make(chan struct{})
	return f.changed
}

// drop makes everybody wait for the next tunnel instead of this one. Those who are on it may finish.
func (f *Forwarder) drop(t *tunnel) {
	f.mu.Lock()
	if f.current == t {
		f.current = nil
		close(f.changed)
		f.changed = make(chan struct{})
	}
	f.mu.Unlock()
	t.retire()
}

// connect keeps a tunnel to a ready pod open until the context ends.
func (f *Forwarder) connect(ctx context.Context) error {
	pods := watchPods(ctx, f.Client.Kube, f.Gateway.Namespace(), labels.FormatLabels(f.Gateway.Service.Spec.Selector))
	told := Event{} // the same twice is no news
	tell := func(e Event) {
		if e != told {
			told = e
			f.Notify(e)
		}
	}
	waiting := func(why string) { tell(Event{Waiting: why}) }
	for pause := time.Duration(0); ; {
		if kube.Sleep(ctx, pause) != nil {
			return nil
		}
		pod, err := pods.awaitReady(ctx, waiting)
		if err != nil {
			return nil // the context has ended
		}
		t, err := f.dialPod(ctx, pod)
		if permanent(err) {
			return err
		}
		if err != nil {
			if ctx.Err() == nil {
				waiting(err.Error())
			}
			pause = min(max(2*pause, 250*time.Millisecond), 5*time.Second)
			continue
		}
		tell(Event{Connected: pod.Name})
		opened := time.Now()
		f.useTunnel(ctx, pods, pod, t)
		if pause = 0; time.Since(opened) < time.Second { // a tunnel that does not last is no reason to hammer
			pause = 250 * time.Millisecond
		}
	}
}

func (f *Forwarder) dialPod(ctx context.Context, pod *corev1.Pod) (*tunnel, error) {
	gateway := f.Gateway
	gateway.Pods = []corev1.Pod{*pod}
	target := gateway.Listeners[0].Target
	port := gateway.PortAt(target).Number
	if port == 0 {
		return nil, fmt.Errorf("pod %s has no port named %s", pod.Name, target.StrVal)
	}
	return dial(ctx, f.Client, pod, port)
}

// useTunnel lends a tunnel out until it closes, its pod leaves, or somebody gave it up. Whoever is on it when the pod is gone is cut off.
func (f *Forwarder) useTunnel(ctx context.Context, pods *podWatch, pod *corev1.Pod, t *tunnel) {
	watching, stop := context.WithCancel(ctx)
	go func() { // outlives hold, until those who are on a retired tunnel have finished
		defer stop()
		go func() {
			pods.awaitEnd(watching, pod.UID)
			t.close()
		}()
		<-t.closed()
	}()
	leaving := make(chan struct{})
	go func() {
		defer close(leaving)
		pods.awaitTermination(watching, pod.UID)
	}()
	givenUp := f.publish(t)
	select {
	case <-t.closed():
	case <-leaving:
	case <-givenUp:
	case <-ctx.Done():
	}
	f.drop(t)
}

// permanent tells whether trying again cannot help: the user may not do it.
func permanent(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}
