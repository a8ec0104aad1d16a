package apply

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// watches keeps one watch per kind. A watch starts with all existing objects, so that no list is needed, and restarts when it
// is dropped.
type watches struct {
	client  *cluster.Client
	updates chan<- update
	ctx     context.Context
	running sync.WaitGroup
	started map[watchKey]bool
	seen    map[cluster.Ref]*unstructured.Unstructured // webhook configurations and CRDs, by identity
	slices  map[cluster.Ref]map[string]bool
}

type watchKey struct {
	kind              schema.GroupKind
	namespace, labels string
}

func newWatches(client *cluster.Client, facts chan<- update) *watches {
	return &watches{
		client: client, updates: facts, started: map[watchKey]bool{},
		seen: map[cluster.Ref]*unstructured.Unstructured{}, slices: map[cluster.Ref]map[string]bool{},
	}
}

type (
	objectUpdate struct {
		o    *unstructured.Unstructured
		gone bool
	}
	endpointUpdate struct {
		service cluster.Ref
		slice   string
		ready   bool
	}
	watchDeniedUpdate struct {
		kind schema.GroupKind
		err  error
	}
)

// kind watches all objects of a kind.
func (w *watches) kind(kind schema.GroupVersionKind) {
	w.start(kind, watchKey{kind: kind.GroupKind()}, func(o *unstructured.Unstructured, gone bool) update { return objectUpdate{o, gone} })
}

// endpoints watches the EndpointSlices of a Service.
func (w *watches) endpoints(service cluster.Ref) {
	key := watchKey{kube.EndpointSliceKind, service.Namespace, "kubernetes.io/service-name=" + service.Name}
	w.start(key.kind.WithVersion(""), key, func(o *unstructured.Unstructured, gone bool) update {
		return endpointUpdate{service, o.GetName(), !gone && hasReadyEndpoint(o)}
	})
}

func hasReadyEndpoint(slice *unstructured.Unstructured) bool {
	for _, endpoint := range kube.Items(slice.Object, "endpoints") {
		ready, set, _ := unstructured.NestedBool(endpoint, "conditions", "ready")
		if (ready || !set) && len(kube.Texts(endpoint, "addresses")) > 0 {
			return true
		}
	}
	return false
}

func (w *watches) start(kind schema.GroupVersionKind, key watchKey, toUpdate func(o *unstructured.Unstructured, gone bool) update) {
	if w.started[key] {
		return
	}
	w.started[key] = true
	w.running.Add(1)
	go func() {
		defer w.running.Done()
		for attempt := 0; w.ctx.Err() == nil; attempt++ {
			began := time.Now()
			err := w.watchOnce(kind, key, toUpdate)
			if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
				w.send(watchDeniedUpdate{key.kind, err})
				return
			}
			if time.Since(began) > 10*time.Second {
				attempt = 0
			}
			_ = kube.Sleep(w.ctx, kube.Backoff(attempt))
		}
	}()
}

// watchOnce watches until the server ends it.
func (w *watches) watchOnce(kind schema.GroupVersionKind, key watchKey, toUpdate func(*unstructured.Unstructured, bool) update) error {
	mapping, err := w.client.Mapping(kind)
	if err != nil {
		return err
	}
	stream, err := w.client.Dynamic.Resource(mapping.Resource).Namespace(key.namespace).Watch(w.ctx, metav1.ListOptions{LabelSelector: key.labels})
	if err != nil {
		return err
	}
	defer stream.Stop()
	for event := range stream.ResultChan() {
		o, ok := event.Object.(*unstructured.Unstructured)
		if event.Type == watch.Error || !ok {
			return apierrors.FromObject(event.Object)
		}
		w.send(toUpdate(o, event.Type == watch.Deleted))
	}
	return nil
}

func (w *watches) send(f update) {
	select {
	case w.updates <- f:
	case <-w.ctx.Done():
	}
}

func (f objectUpdate) handle(e *engine) {
	ref := cluster.RefOf(f.o).Identity()
	switch kind := ref.GroupKind(); kind {
	case kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.CustomResourceDefinitionKind:
		e.watches.seen[ref] = f.o
	}
	i, ours := e.at[ref]
	switch {
	case ours && f.gone:
		e.setReady(e.items[i], false, "it was deleted by another client")
	case ours:
		e.observe(i, f.o)
	}
	if !f.gone {
		e.openWebhookGates(f.o)
	}
}

func (f endpointUpdate) handle(e *engine) {
	known := e.watches.slices[f.service]
	if known == nil {
		known = map[string]bool{}
		e.watches.slices[f.service] = known
	}
	known[f.slice] = f.ready
	ready := false
	for _, r := range known {
		ready = ready || r
	}
	e.endpointsChanged(f.service, ready)
}

func (f watchDeniedUpdate) handle(e *engine) {
	if apierrors.IsUnauthorized(f.err) {
		e.failed = e.client.Explain(f.err)
		return
	}
	e.failed = &problem.Error{Err: f.err, What: "an install has to watch what it applied: " + f.err.Error(),
		Next: "Ask the cluster's administrator for the permission to watch " + f.kind.String()}
}
