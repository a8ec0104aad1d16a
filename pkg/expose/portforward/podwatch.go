package portforward

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// podWatch keeps the pods of a selector up to date.
type podWatch struct {
	store  cache.Store
	synced cache.InformerSynced

	mu      sync.Mutex
	changed chan struct{} // closed at the next change
}

// watchPods starts to watch; it ends with the context.
func watchPods(ctx context.Context, client kubernetes.Interface, namespace, selector string) *podWatch {
	w := &podWatch{changed: make(chan struct{})}
	in := client.CoreV1().Pods(namespace)
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.LabelSelector = selector
			return in.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.LabelSelector = selector
			return in.Watch(ctx, o)
		},
	}
	store, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: lw,
		ObjectType:    &corev1.Pod{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { w.notify() },
			UpdateFunc: func(any, any) { w.notify() },
			DeleteFunc: func(any) { w.notify() },
		},
	})
	w.store, w.synced = store, informer.HasSynced
	go informer.RunWithContext(ctx)
	return w
}

func (w *podWatch) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}

// next returns a channel that closes at the next change. Get it before reading, so that no change is missed.
func (w *podWatch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// all returns the pods in the order of their names.
func (w *podWatch) all() []*corev1.Pod {
	var all []*corev1.Pod
	for _, o := range w.store.List() {
		if pod, ok := o.(*corev1.Pod); ok {
			all = append(all, pod)
		}
	}
	slices.SortFunc(all, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (w *podWatch) byUID(uid types.UID) *corev1.Pod {
	for _, pod := range w.all() {
		if pod.UID == uid {
			return pod
		}
	}
	return nil
}

// awaitReady returns a pod to connect to, waiting for one. notify reports why there is none, once for each reason.
func (w *podWatch) awaitReady(ctx context.Context, notify func(why string)) (*corev1.Pod, error) {
	last := ""
	cache.WaitForCacheSync(ctx.Done(), w.synced) // before the first list there are no pods
	for {
		changed := w.next()
		all := w.all()
		for _, pod := range all {
			if dashboard.PodReady(pod) {
				return pod, nil
			}
		}
		if why := dashboard.WhyNotReady(all); why != last {
			last = why
			notify(why)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for a gateway pod (%s): %w", last, ctx.Err())
		case <-changed:
		}
	}
}

// awaitTermination waits until a pod is terminating, or gone.
func (w *podWatch) awaitTermination(ctx context.Context, uid types.UID) {
	w.until(ctx, func() bool { pod := w.byUID(uid); return pod == nil || pod.DeletionTimestamp != nil || finished(pod) })
}

// awaitEnd waits until the pod is gone or finished.
func (w *podWatch) awaitEnd(ctx context.Context, uid types.UID) {
	w.until(ctx, func() bool { pod := w.byUID(uid); return pod == nil || finished(pod) })
}

func (w *podWatch) until(ctx context.Context, is func() bool) {
	for {
		changed := w.next()
		if is() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func finished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
