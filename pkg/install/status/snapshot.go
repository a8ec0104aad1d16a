package status

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// requestsAtOnce bounds the number of concurrent list requests.
const requestsAtOnce = 16

// A snapshot is what was read from a cluster.
type snapshot struct {
	mu           sync.Mutex
	objects      map[cluster.Ref]*unstructured.Unstructured // by identity
	unread       map[plan.Place]error
	unknown      map[schema.GroupKind]bool               // kinds that the cluster does not have
	sets         map[string][]*unstructured.Unstructured // ReplicaSets, by namespace
	pods         map[string][]*unstructured.Unstructured
	events       map[string][]*unstructured.Unstructured
	uninstalling bool         // an uninstall has started
	locked       bool         // another client holds the Lease
	view         cluster.View // answers questions about pods from what was read
}

// readSnapshot reads the listed objects, then the pods of workloads that are not ready.
func readSnapshot(ctx context.Context, view cluster.View, entries []inventory.Entry, o Options) (*snapshot, error) {
	s := &snapshot{
		objects: map[cluster.Ref]*unstructured.Unstructured{}, unread: map[plan.Place]error{}, unknown: map[schema.GroupKind]bool{},
		locked: o.Locked, sets: map[string][]*unstructured.Unstructured{}, pods: map[string][]*unstructured.Unstructured{}, events: map[string][]*unstructured.Unstructured{},
	}
	s.view = &snapshotView{View: view, seen: s}
	places := map[plan.Place][]cluster.Ref{}
	for _, e := range entries {
		at := plan.Place{Kind: e.GroupKind(), Namespace: e.Namespace}
		places[at] = append(places[at], e.Ref)
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for at, refs := range places {
		group.Go(func() error { return s.read(inner, view, at, refs) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return s, s.readPods(ctx, view, entries, o)
}

// read lists one kind in one namespace: whole objects if they have a readiness, else only metadata.
func (s *snapshot) read(ctx context.Context, view cluster.View, at plan.Place, refs []cluster.Ref) error {
	scope := cluster.Scope{Namespace: at.Namespace, Metadata: !hasReadiness(refs[0])}
	if len(refs) == 1 {
		scope.Fields = "metadata.name=" + refs[0].Name // other clients may have many more
	}
	list, err := view.List(ctx, at.Kind, scope)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case meta.IsNoMatchError(err):
		s.unknown[at.Kind] = true
		return nil
	case apierrors.IsForbidden(err):
		s.unread[at] = err
		return nil
	case err != nil:
		return fmt.Errorf("listing %s: %w", at.Kind.Kind, err)
	}
	for _, o := range list {
		s.objects[cluster.RefOf(o).Identity()] = o
	}
	return nil
}

// readPods reads the pods and events of each namespace where a workload is not ready. It skips succeeded pods, because
// pipelines leave thousands of them.
func (s *snapshot) readPods(ctx context.Context, view cluster.View, entries []inventory.Entry, o Options) error {
	wanted := map[string]bool{}
	for _, e := range entries {
		live := s.objects[e.Ref.Identity()]
		if live == nil || !runsPods(e.Ref) {
			continue
		}
		ready, _ := cluster.Ready(live)
		wanted[e.Namespace] = wanted[e.Namespace] || !ready || o.Tree && o.All
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for _, ns := range slices.Sorted(maps.Keys(wanted)) {
		if !wanted[ns] {
			continue
		}
		for _, ask := range []struct {
			kind   schema.GroupKind
			fields string
			into   map[string][]*unstructured.Unstructured
			asked  bool
		}{
			{kube.PodKind, "status.phase!=Succeeded", s.pods, true},
			{kube.EventKind, "", s.events, true},
			{kube.ReplicaSetKind, "", s.sets, o.Tree},
		} {
			if ask.asked {
				group.Go(func() error {
					return s.readAll(inner, view, plan.Place{Kind: ask.kind, Namespace: ns}, ask.fields, ask.into)
				})
			}
		}
	}
	return group.Wait()
}

func (s *snapshot) readAll(ctx context.Context, view cluster.View, at plan.Place, fields string, into map[string][]*unstructured.Unstructured) error {
	list, err := view.List(ctx, at.Kind, cluster.Scope{Namespace: at.Namespace, Fields: fields})
	s.mu.Lock()
	defer s.mu.Unlock()
	if apierrors.IsForbidden(err) {
		s.unread[at] = err
		return nil
	}
	into[at.Namespace] = list
	return err
}

// hasReadiness reports whether an object of this kind has to become ready, not only exist.
func hasReadiness(ref cluster.Ref) bool {
	kind := ref.GroupKind().String()
	switch {
	case slices.Contains(apply.KindsWithReadiness, kind), kind == "Service":
		return true
	case kind == "Application.app.k8s.io":
		return false
	}
	return !kube.BuiltIn(ref.GroupKind())
}

// runsPods reports whether objects of a kind create pods and wait for them.
func runsPods(ref cluster.Ref) bool {
	return slices.Contains([]string{"Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "Job.batch"}, ref.GroupKind().String())
}

// unreadKinds names the kinds that could not be read.
func (s *snapshot) unreadKinds() []string {
	names := map[string]bool{}
	for at := range s.unread {
		names[at.Kind.Kind] = true
	}
	return slices.Sorted(maps.Keys(names))
}
