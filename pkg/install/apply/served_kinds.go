package apply

import (
	"context"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// servedKinds polls discovery, one small document per group and version, until the kinds of new CRDs are served: kinds with
// waiting objects twice a second, others less often. (A watch would transfer each CRD, some larger than 300 kB, several times.)
type servedKinds struct {
	client  *cluster.Client
	updates chan<- update
	ctx     context.Context
	running sync.WaitGroup

	mu      sync.Mutex
	polling bool
	pending []*pendingKind
}

// An pendingKind kind is one whose definition is applied.
type pendingKind struct {
	definition cluster.Ref
	group      string
	kind       string
	plural     string   // another CRD may have the same kind
	versions   []string // not served yet
	urgent     bool
}

type servedUpdate struct{ definition cluster.Ref }

func newServedKinds(client *cluster.Client, facts chan<- update) *servedKinds {
	return &servedKinds{client: client, updates: facts}
}

// expect starts to poll for the kind of a CRD.
func (s *servedKinds) expect(definition *unstructured.Unstructured, urgent bool) {
	want := &pendingKind{
		definition: cluster.RefOf(definition).Identity(), urgent: urgent,
		group: kube.Text(definition.Object, "spec", "group"), kind: kube.Text(definition.Object, "spec", "names", "kind"), plural: kube.Text(definition.Object, "spec", "names", "plural"),
	}
	for _, v := range kube.Items(definition.Object, "spec", "versions") {
		if name, _ := v["name"].(string); name != "" && v["served"] != false {
			want.versions = append(want.versions, name)
		}
	}
	if single := kube.Text(definition.Object, "spec", "version"); len(want.versions) == 0 && single != "" {
		want.versions = []string{single}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, want)
	if !s.polling {
		s.polling = true
		s.running.Add(1)
		go s.poll()
	}
}

// prioritizeAll polls for every kind at the short interval, when all objects are applied.
func (s *servedKinds) prioritizeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, want := range s.pending {
		want.urgent = true
	}
}

func (s *servedKinds) poll() {
	defer s.running.Done()
	for round := 1; kube.Sleep(s.ctx, pollEvery) == nil; round++ {
		if !s.ask(round%slowRounds == 0) {
			return
		}
	}
}

const (
	pollEvery  = 400 * time.Millisecond
	slowRounds = 5 // rounds between polls for kinds without waiting objects
)

// ask polls once, and returns false if no kind is pending.
func (s *servedKinds) ask(all bool) bool {
	for groupVersion, waiting := range s.due(all) {
		list, err := s.client.Kube.Discovery().ServerResourcesForGroupVersion(groupVersion)
		if err != nil {
			continue // not served yet, or failing: polled again
		}
		for _, want := range waiting {
			if slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Kind == want.kind && r.Name == want.plural }) {
				s.found(want, groupVersion)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polling = len(s.pending) > 0
	return s.polling
}

func (s *servedKinds) due(all bool) map[string][]*pendingKind {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := map[string][]*pendingKind{}
	for _, want := range s.pending {
		if !all && !want.urgent {
			continue
		}
		for _, version := range want.versions {
			due[want.group+"/"+version] = append(due[want.group+"/"+version], want)
		}
	}
	return due
}

func (s *servedKinds) found(want *pendingKind, groupVersion string) {
	s.mu.Lock()
	want.versions = slices.DeleteFunc(want.versions, func(v string) bool { return want.group+"/"+v == groupVersion })
	done := len(want.versions) == 0
	if done {
		s.pending = slices.DeleteFunc(s.pending, func(p *pendingKind) bool { return p == want })
	}
	s.mu.Unlock()
	if !done {
		return
	}
	select {
	case s.updates <- servedUpdate{want.definition}:
	case <-s.ctx.Done():
	}
}

func (f servedUpdate) handle(e *engine) { e.setEstablished(e.at[f.definition]) }
