package control

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// A Reconcile reconciles one key. It is called again after the returned
// duration, if that is positive, and after an error.
type Reconcile func(ctx context.Context, key string) (again time.Duration, err error)

// A Loop calls Reconcile for every key from an informer or Add, never
// concurrently for the same key.
type Loop struct {
	name      string
	workers   int
	reconcile Reconcile
	queue     workqueue.TypedRateLimitingInterface[string]
}

// New creates a loop. Use more than one worker only if keys share no state.
func New(name string, workers int, reconcile Reconcile) *Loop {
	limit := workqueue.NewTypedItemExponentialFailureRateLimiter[string](10*time.Millisecond, 5*time.Second)
	return &Loop{
		name:      name,
		workers:   workers,
		reconcile: reconcile,
		queue:     workqueue.NewTypedRateLimitingQueue(limit),
	}
}

// Add enqueues a key.
func (l *Loop) Add(key string) { l.queue.Add(key) }

// On enqueues the keys that keys returns whenever an object of the informer is
// added, updated or deleted.
func (l *Loop) On(informer cache.SharedIndexInformer, keys func(object any) []string) error {
	add := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		for _, key := range keys(object) {
			l.queue.Add(key)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, after any) { add(after) },
		DeleteFunc: add,
	})
	if err != nil {
		return fmt.Errorf("watching for %s: %w", l.name, err)
	}
	return nil
}

// Run runs the loop until ctx ends. Errors are logged and retried.
func (l *Loop) Run(ctx context.Context, log io.Writer) {
	var workers sync.WaitGroup
	for range max(1, l.workers) {
		workers.Go(func() {
			for l.next(ctx, log) {
			}
		})
	}
	<-ctx.Done()
	l.queue.ShutDown()
	workers.Wait()
}

func (l *Loop) next(ctx context.Context, log io.Writer) bool {
	key, stop := l.queue.Get()
	if stop {
		return false
	}
	defer l.queue.Done(key)
	again, err := l.reconcile(ctx, key)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		// A conflict: the informer delivers the newer object.
		if !apierrors.IsConflict(err) {
			fmt.Fprintf(log, "%s: %s: %v\n", l.name, key, err)
		}
		l.queue.AddRateLimited(key)
	default:
		l.queue.Forget(key)
		if again > 0 {
			l.queue.AddAfter(key, again)
		}
	}
	return true
}
