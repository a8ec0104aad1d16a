package verify

import (
	"context"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// watches keep what tests wait for up to date, so that a wait takes as many requests as it begins with, however long it is. The
// first look at a scope lists it, the second also watches it, and the others read what the watch saw. A scope that may not be
// watched is listed at each look.
type watches struct {
	life    context.Context
	end     context.CancelFunc
	mu      sync.Mutex
	watched map[watchedScope]*watched
	running sync.WaitGroup
}

type watchedScope struct {
	kind schema.GroupKind
	in   cluster.Scope
}

// A watched is the state of one scope.
type watched struct {
	mu      sync.Mutex
	looks   int
	objects map[string]*unstructured.Unstructured // by namespace and name
	current bool                                  // a watch keeps them up to date
	refused bool                                  // watching is not allowed
}

func newWatches() *watches {
	life, end := context.WithCancel(context.Background())
	return &watches{life: life, end: end, watched: map[watchedScope]*watched{}}
}

func (w *watches) close() {
	w.end()
	w.running.Wait()
}

func (w *watches) of(kind schema.GroupKind, in cluster.Scope) *watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := watchedScope{kind, in}
	if w.watched[key] == nil {
		w.watched[key] = &watched{}
	}
	return w.watched[key]
}

// latest returns what a scope holds now, for who looks at it again and again.
func (s *Session) latest(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	w := s.watches.of(kind, in)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	if w.current {
		return w.all(), nil
	}
	var stream watch.Interface
	if w.looks > 1 && !w.refused { // before the list, so that nothing is missed between the two
		stream = s.watchScope(w, kind, in)
	}
	list, err := s.Client.View().List(ctx, kind, in)
	if err != nil {
		if stream != nil {
			stream.Stop()
		}
		return nil, err
	}
	w.objects = map[string]*unstructured.Unstructured{}
	for _, o := range list {
		w.objects[o.GetNamespace()+"/"+o.GetName()] = o
	}
	if stream != nil {
		w.current = true
		s.watches.running.Go(func() { w.read(stream) })
	}
	return w.all(), nil
}

// watchScope opens a watch, nil if that is not possible now.
func (s *Session) watchScope(w *watched, kind schema.GroupKind, in cluster.Scope) watch.Interface {
	mapping, err := s.Client.Mapping(kind.WithVersion(""))
	if err != nil {
		return nil
	}
	stream, err := s.Client.Dynamic.Resource(mapping.Resource).Namespace(in.Namespace).Watch(s.watches.life, metav1.ListOptions{LabelSelector: in.Labels, FieldSelector: in.Fields})
	if err != nil {
		w.refused = apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err)
		return nil
	}
	return stream
}

// read follows a watch until it ends. The next look begins anew.
func (w *watched) read(stream watch.Interface) {
	defer stream.Stop()
	for event := range stream.ResultChan() {
		o, ok := event.Object.(*unstructured.Unstructured)
		if event.Type == watch.Error || !ok {
			break
		}
		w.mu.Lock()
		if key := o.GetNamespace() + "/" + o.GetName(); event.Type == watch.Deleted {
			delete(w.objects, key)
		} else {
			w.objects[key] = o
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = false
}

func (w *watched) all() []*unstructured.Unstructured {
	all := make([]*unstructured.Unstructured, 0, len(w.objects))
	for _, o := range w.objects {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	return all
}

// Latest returns an object that is waited for, nil if it does not exist.
func (s *Session) Latest(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	list, err := s.latest(ctx, ref.GroupKind(), cluster.Scope{Namespace: ref.Namespace, Fields: "metadata.name=" + ref.Name})
	switch {
	case apierrors.IsForbidden(err): // who may not list may read
		return cluster.IgnoreNotFound(s.Client.View().Get(ctx, ref))
	case err != nil || len(list) == 0:
		return nil, err
	}
	return list[0], nil
}
