package expose

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// awaitGone waits until an object is gone: the Service of a load balancer stays until Azure has released the address.
func awaitGone(ctx context.Context, c *cluster.Client, ref cluster.Ref) error {
	if ref.Kind != "Service" {
		return nil // nothing delays its deletion
	}
	err := WatchService(ctx, c, ref, func(s *corev1.Service) bool { return s == nil })
	if err == nil {
		return nil
	}
	return Unfinished(ctx, err, func() *problem.Error {
		return &problem.Error{
			What: fmt.Sprintf("%s is still being deleted: the load balancer has not released its address", ref),
			Next: "See why with: kubectl describe service -n " + ref.Namespace + " " + escape.Word(ref.Name),
		}
	})
}

// Unfinished returns the Problem that describes what was awaited, if the context has ended.
func Unfinished(ctx context.Context, err error, describe func() *problem.Error) error {
	if ctx.Err() == nil {
		return err
	}
	failure := describe()
	failure.Err = ctx.Err()
	return failure
}

// WatchService watches one Service until done returns true; done gets nil while there is none.
func WatchService(ctx context.Context, c *cluster.Client, ref cluster.Ref, done func(*corev1.Service) bool) error {
	only := fields.OneTermEqualSelector("metadata.name", ref.Name).String()
	in := c.Kube.CoreV1().Services(ref.Namespace)
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = only
			return in.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = only
			return in.Watch(ctx, o)
		},
	}
	absent := func(store cache.Store) (bool, error) { return len(store.List()) == 0 && done(nil), nil }
	_, err := watchtools.UntilWithSync(ctx, lw, &corev1.Service{}, absent, func(event watch.Event) (bool, error) {
		service, ok := event.Object.(*corev1.Service)
		if !ok {
			return false, errors.New("watching a Service: received another kind of object")
		}
		if event.Type == watch.Deleted {
			service = nil
		}
		return done(service), nil
	})
	return err
}
