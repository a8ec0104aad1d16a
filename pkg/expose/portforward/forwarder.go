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
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// A Forwarder carries connections from this computer to the gateway, whichever of its pods is ready.
// When the pod terminates, new connections wait for the next one.
type Forwarder struct {
	Client  *cluster.Client
	Gateway dashboard.Gateway
	Notify  func(Event) // reports what happens; it may be called from several goroutines

	mu      sync.Mutex
	current *tunnel
	changed chan struct{} // closed when current changes
}

// An Event is a change in the state of a Forwarder.
type Event struct {
	Connected string // the pod that connections now go to
	Waiting   string // why connections wait
}

// Serve carries what the listeners accept until the context ends. It closes the listeners and all connections.
// It returns an error only if it cannot continue: no permission, or a listener that fails.
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

// handle serves one connection, on the current tunnel or on the next one.
func (f *Forwarder) handle(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	v := &client{conn: conn}
	for tries := 1; ; tries++ {
		t := f.tunnel(ctx)
		if t == nil {
			return
		}
		s, err := t.open(ctx)
		if err != nil { // nothing was sent yet, so the next tunnel can carry it
			f.drop(t)
			continue
		}
		err = s.pipe(ctx, v)
		retry := v.repeatable() && tries < 5
		if err != nil || retry {
			f.drop(t) // the pod may be gone: new connections get a new tunnel
		}
		if !retry {
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

// drop makes new connections wait for the next tunnel. Connections on this one may finish.
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
	last := Event{} // repeated events are not reported
	notify := func(e Event) {
		if e != last {
			last = e
			f.Notify(e)
		}
	}
	waiting := func(why string) { notify(Event{Waiting: why}) }
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
		notify(Event{Connected: pod.Name})
		opened := time.Now()
		f.useTunnel(ctx, pods, pod, t)
		if time.Since(opened) >= time.Second {
			pause = 0
		} else { // a program that does not listen yet: avoid reconnecting in a tight loop
			pause = min(max(2*pause, 250*time.Millisecond), 2*time.Second)
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
	t, err := dial(ctx, f.Client, pod, port)
	if err != nil && !permanent(err) && ctx.Err() == nil {
		err = f.refused(ctx, pod, err)
	}
	return t, err
}

// refused gives an error its type if the user may not forward to the pod: an upgrade that is refused is answered in text.
func (f *Forwarder) refused(ctx context.Context, pod *corev1.Pod, err error) error {
	may, failed := f.Client.Can(ctx, "create", schema.GroupResource{Resource: "pods"}, "portforward", pod.Namespace)
	if failed != nil || may {
		return err
	}
	return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, pod.Name,
		fmt.Errorf("you cannot create resource %q in API group %q in the namespace %q", "pods/portforward", "", pod.Namespace))
}

// useTunnel offers a tunnel until it closes, its pod terminates, or a connection dropped it. Its connections end when the pod is gone.
func (f *Forwarder) useTunnel(ctx context.Context, pods *podWatch, pod *corev1.Pod, t *tunnel) {
	watching, stop := context.WithCancel(ctx)
	go func() { // outlives useTunnel, until the connections on a retired tunnel have finished
		defer stop()
		go func() {
			pods.awaitEnd(watching, pod.UID)
			t.close()
		}()
		<-t.closed()
	}()
	terminating := make(chan struct{})
	go func() {
		defer close(terminating)
		pods.awaitTermination(watching, pod.UID)
	}()
	dropped := f.publish(t)
	select {
	case <-t.closed():
	case <-terminating:
	case <-dropped:
	case <-ctx.Done():
	}
	f.drop(t)
}

// permanent reports whether a retry is useless, because the permission is missing.
func permanent(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}
