package uninstall

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// A deletion deletes the objects of one wave concurrently and watches each until it is gone.
type deletion struct {
	client  *cluster.Client
	title   string
	options Options
	whole   bool // also wait for the objects' dependents
	noWait  bool

	requests chan struct{} // limits concurrent requests
	began    time.Time

	mu         sync.Mutex
	pending    map[cluster.Ref]pendingReason
	removed    []cluster.Ref
	lastChange time.Time // when something last changed
	failed     []error
}

func newDeletion(client *cluster.Client, title string, o Options) *deletion {
	return &deletion{client: client, title: title, options: o, requests: make(chan struct{}, o.Parallel), pending: map[cluster.Ref]pendingReason{}}
}

// run returns when everything was deleted or cannot be.
func (w *deletion) run(ctx context.Context, objects []*unstructured.Unstructured) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	w.began, w.lastChange = time.Now(), time.Now()
	w.options.Observe(events.WaveStarted{Wave: w.title, Total: len(objects)})
	for _, o := range objects {
		w.pending[cluster.RefOf(o)] = pendingReason{}
	}
	var all sync.WaitGroup
	done := make(chan struct{})
	for _, o := range objects {
		all.Go(func() { w.deleteAndWait(inner, o) })
	}
	go func() {
		all.Wait()
		close(done)
	}()
	stalled := w.await(inner, done)
	cancel()
	<-done
	return w.outcome(ctx, stalled, len(objects))
}

// await reports every second what remains, until everything was deleted or nothing more can be.
func (w *deletion) await(ctx context.Context, done <-chan struct{}) (stalled bool) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return false
		case <-ctx.Done():
			<-done
			return false
		case <-tick.C:
			if w.reportPending() {
				return true
			}
		}
	}
}

// reportPending returns true when the remaining objects cannot be deleted and the patience is used up.
func (w *deletion) reportPending() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	stuck, named := len(w.pending) > 0, false
	for ref, l := range w.pending {
		if l.why != "" && !named {
			named = true
			w.options.Observe(events.StillThere{Wave: w.title, Ref: ref, Why: l.why, More: len(w.pending) - 1})
		}
		stuck = stuck && l.stuck
	}
	return stuck && time.Since(w.lastChange) > w.options.Patience
}

// outcome returns the error of a wave.
func (w *deletion) outcome(ctx context.Context, stalled bool, total int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case len(w.failed) > 0:
		return w.failed[0]
	case len(w.pending) == 0 || w.noWait:
		w.options.Observe(events.WaveDone{Wave: w.title, Total: total, Took: time.Since(w.began)})
		return nil
	case stalled || errors.Is(ctx.Err(), context.DeadlineExceeded):
		return w.explain(ctx, stalled)
	}
	return ctx.Err()
}

// deleteAndWait deletes one object and waits until it is gone.
func (w *deletion) deleteAndWait(ctx context.Context, o *unstructured.Unstructured) {
	ref := cluster.RefOf(o)
	err := w.delete(ctx, o)
	for err == nil && !w.noWait {
		var gone bool
		if gone, err = w.waitGone(ctx, ref, o.GetUID()); gone {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		delete(w.pending, ref)
		w.removed = append(w.removed, ref)
		w.lastChange = time.Now()
		w.options.Observe(events.ObjectGone{Wave: w.title, Ref: ref, Left: len(w.pending)})
	case ctx.Err() == nil:
		w.failed = append(w.failed, err)
	}
}

// delete requests the deletion, unless that was done before. An object that another client recreated in the meantime is left
// alone: the one that was planned for deletion is gone.
func (w *deletion) delete(ctx context.Context, o *unstructured.Unstructured) error {
	if o.GetDeletionTimestamp() != nil {
		return nil
	}
	if err := w.acquireSlot(ctx); err != nil {
		return err
	}
	defer w.releaseSlot()
	_, err := apply.Retry(ctx, func() (*unstructured.Unstructured, error) {
		_, err := w.client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: inventory.Manager, Whole: w.whole})
		if apierrors.IsConflict(err) {
			err = nil // another UID: waitGone finds out
		}
		return nil, err
	})
	if isGone(err) {
		return nil
	}
	return err
}

func isGone(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// waitGone checks whether an object still exists, and watches it until the server closes the watch.
func (w *deletion) waitGone(ctx context.Context, ref cluster.Ref, uid types.UID) (gone bool, err error) {
	if err := w.acquireSlot(ctx); err != nil {
		return false, err
	}
	live, err := apply.Retry(ctx, func() (*unstructured.Unstructured, error) { return w.client.View().Get(ctx, ref) })
	w.releaseSlot()
	switch {
	case isGone(err), err == nil && live.GetUID() != uid:
		return true, nil
	case err != nil:
		return false, err
	case live.GetDeletionTimestamp() == nil:
		return false, w.delete(ctx, live)
	}
	if err := w.releaseProfile(ctx, live); err != nil {
		return false, err
	}
	w.observe(ref, live)
	mapping, err := w.client.Mapping(ref.GroupVersionKind())
	if err != nil {
		return isGone(err), err
	}
	stream, err := w.client.Dynamic.Resource(mapping.Resource).Namespace(ref.Namespace).Watch(ctx, metav1.ListOptions{
		FieldSelector: "metadata.name=" + ref.Name, ResourceVersion: live.GetResourceVersion(),
	})
	if err != nil {
		if apierrors.IsForbidden(err) {
			return false, fmt.Errorf("watching the deletion of %s: %w", ref, err)
		}
		return false, kube.Sleep(ctx, kube.Backoff(2))
	}
	defer stream.Stop()
	for event := range stream.ResultChan() {
		o, ok := event.Object.(*unstructured.Unstructured)
		switch {
		case event.Type == watch.Error || !ok:
			return false, kube.Sleep(ctx, kube.Backoff(1))
		case event.Type == watch.Deleted && o.GetUID() == uid:
			return true, nil
		}
		w.observe(ref, o)
	}
	return false, kube.Sleep(ctx, kube.Backoff(0))
}

// observe records why an object still exists.
func (w *deletion) observe(ref cluster.Ref, o *unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := whyPending(o); now.why != w.pending[ref].why {
		w.pending[ref], w.lastChange = now, time.Now()
	}
}

func (w *deletion) acquireSlot(ctx context.Context) error {
	select {
	case w.requests <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *deletion) releaseSlot() { <-w.requests }
