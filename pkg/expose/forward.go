package expose

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
)

// A Forward carries connections from this computer to the gateway, whichever of its pods is ready.
// Pods come and go behind it: a connection that comes in meanwhile waits for the next one.
type Forward struct {
	Client *cluster.Client
	Target Target
	Tell   func(ForwardEvent) // hears what happens; it may be called from several goroutines

	mu      sync.Mutex
	current *tunnel
	changed chan struct{} // closed when current changes
}

// A ForwardEvent is something that happened to a Forward.
type ForwardEvent struct {
	Connected string // the pod that connections now go to
	Waiting   string // why they go nowhere, and wait
}

// Serve carries what the listeners accept until the context ends. It closes the listeners, and leaves nothing running.
// It returns an error only when it cannot go on: no permission, or a listener that breaks.
func (f *Forward) Serve(ctx context.Context, listeners []net.Listener) error {
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

func (f *Forward) accept(ctx context.Context, l net.Listener, running *sync.WaitGroup, stop context.CancelCauseFunc) {
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() == nil {
				stop(fmt.Errorf("accepting connections on %s: %w", l.Addr(), err))
			}
			return
		}
		running.Go(func() { f.carry(ctx, conn) })
	}
}

// carry serves one connection, on the tunnel that is there or on the next one.
func (f *Forward) carry(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	v := &visitor{conn: conn}
	for tries := 1; ; tries++ {
		t := f.tunnel(ctx)
		if t == nil {
			return
		}
		s, err := t.open(ctx)
		if err != nil { // nothing was sent yet, so the next tunnel can have it
			f.leave(t)
			continue
		}
		err = s.pipe(ctx, v)
		again := v.again() && tries < 5
		if err != nil || again {
			f.leave(t) // the pod's side may have gone: those who come now get a fresh tunnel
		}
		if !again {
			return
		}
	}
}

// tunnel returns the tunnel in use, waiting for one; nil when the context ends.
func (f *Forward) tunnel(ctx context.Context) *tunnel {
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

func (f *Forward) use(t *tunnel) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current = t
	close(f.changed)
	f.changed = make(chan struct{})
	return f.changed
}

// leave makes everybody wait for the next tunnel instead of this one. Those who are on it may finish.
func (f *Forward) leave(t *tunnel) {
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
func (f *Forward) connect(ctx context.Context) error {
	pods := watchPods(ctx, f.Client.Kube, f.Target.Namespace(), labels.FormatLabels(f.Target.Service.Spec.Selector))
	told := ForwardEvent{} // the same twice is no news
	tell := func(e ForwardEvent) {
		if e != told {
			told = e
			f.Tell(e)
		}
	}
	waiting := func(why string) { tell(ForwardEvent{Waiting: why}) }
	for pause := time.Duration(0); ; {
		if kube.Sleep(ctx, pause) != nil {
			return nil
		}
		pod, err := pods.ready(ctx, waiting)
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
		tell(ForwardEvent{Connected: pod.Name})
		opened := time.Now()
		f.hold(ctx, pods, pod, t)
		if pause = 0; time.Since(opened) < time.Second { // a tunnel that does not last is no reason to hammer
			pause = 250 * time.Millisecond
		}
	}
}

func (f *Forward) dialPod(ctx context.Context, pod *corev1.Pod) (*tunnel, error) {
	target := f.Target
	target.Pods = []corev1.Pod{*pod}
	port := target.PortAt(target.Listeners[0].Target).Number
	if port == 0 {
		return nil, fmt.Errorf("pod %s has no port named %s", pod.Name, target.Listeners[0].Target.StrVal)
	}
	return dial(ctx, f.Client, pod, port)
}

// hold lends a tunnel out until it closes, its pod leaves, or somebody gave it up. Whoever is on it when the pod is gone is cut off.
func (f *Forward) hold(ctx context.Context, pods *podWatch, pod *corev1.Pod, t *tunnel) {
	watching, stop := context.WithCancel(ctx)
	go func() { // outlives hold, until those who are on a retired tunnel have finished
		defer stop()
		go func() {
			pods.gone(watching, pod.UID)
			t.close()
		}()
		<-t.closed()
	}()
	leaving := make(chan struct{})
	go func() {
		defer close(leaving)
		pods.leaving(watching, pod.UID)
	}()
	givenUp := f.use(t)
	select {
	case <-t.closed():
	case <-leaving:
	case <-givenUp:
	case <-ctx.Done():
	}
	f.leave(t)
}

// permanent tells whether trying again cannot help: the user may not do it.
func permanent(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}
