package expose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// Apply makes the changes of a plan in their order. With dryRun the server checks them and keeps nothing.
func Apply(ctx context.Context, c *cluster.Client, changes []cluster.Change, dryRun bool) error {
	for _, change := range changes {
		if _, err := c.Do(ctx, change, cluster.Options{Manager: Manager, DryRun: dryRun}); err != nil {
			return err
		}
	}
	return nil
}

// Await waits until a plan's Service has its address and returns where to knock. tell hears why it takes long, once for each reason.
// When the context's deadline passes the error is a *cluster.Problem with the reason, and context.DeadlineExceeded in it.
func Await(ctx context.Context, c *cluster.Client, t Target, plan Plan, tell func(Delay)) (Door, error) {
	ref := plan.Service
	told, stop := context.WithCancel(ctx)
	defer stop()
	go explaining(told, c, ref, tell)
	var door Door
	err := watchService(ctx, c, ref, func(s *corev1.Service) bool {
		if s == nil {
			return false
		}
		door = Door{URL: t.ServiceURL(s), Address: dashboard.IPOf(s)}
		return door.URL != "" && !slices.Contains(plan.leaves, door.Address)
	})
	if err == nil {
		return door, nil
	}
	return Door{}, unfinished(ctx, err, func() *cluster.Problem {
		delay := WhyPending(context.WithoutCancel(ctx), c, ref)
		next := "Go on waiting with the same command, or take it back with: kubectl kubeflow expose --remove"
		if delay.Advice != "" {
			next = delay.Next() + "\n" + next
		}
		return &cluster.Problem{What: fmt.Sprintf("%s has no address yet: %s", ref, delay.Why), Next: next}
	})
}

// explaining looks at the events while an address is missing: soon at first, then now and then.
func explaining(ctx context.Context, c *cluster.Client, ref cluster.Ref, tell func(Delay)) {
	var last Delay
	pause := wait.Backoff{Duration: 2 * time.Second, Factor: 1.5, Steps: 8, Cap: 15 * time.Second}
	for kube.Sleep(ctx, pause.Step()) == nil {
		if delay := WhyPending(ctx, c, ref); delay != last && ctx.Err() == nil {
			last = delay
			tell(delay)
		}
	}
}

// awaitGone waits until an object is really gone: a load balancer's Service stays until Azure has freed the address.
func awaitGone(ctx context.Context, c *cluster.Client, ref cluster.Ref) error {
	if ref.Kind != "Service" {
		return nil // nothing holds it back
	}
	err := watchService(ctx, c, ref, func(s *corev1.Service) bool { return s == nil })
	if err == nil {
		return nil
	}
	return unfinished(ctx, err, func() *cluster.Problem {
		return &cluster.Problem{
			What: fmt.Sprintf("%s is deleted, but still there: the load balancer has not freed its address", ref),
			Next: "See why with: kubectl describe service -n " + ref.Namespace + " " + ref.Name,
		}
	})
}

// unfinished turns an ended context into the Problem that says what was waited for.
func unfinished(ctx context.Context, err error, say func() *cluster.Problem) error {
	if ctx.Err() == nil {
		return err
	}
	problem := say()
	problem.Err = ctx.Err()
	return problem
}

// watchService watches one Service until done says so; done gets nil while there is none.
func watchService(ctx context.Context, c *cluster.Client, ref cluster.Ref, done func(*corev1.Service) bool) error {
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
			return false, errors.New("watching a Service: something else came")
		}
		if event.Type == watch.Deleted {
			service = nil
		}
		return done(service), nil
	})
	return err
}
