package bundle

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Recorder is a View that remembers what it was asked and what came back. It is safe for concurrent use.
type Recorder struct {
	cluster.View

	mu      sync.Mutex
	answers map[question]answer
	objects map[cluster.Ref]*unstructured.Unstructured // by Identity; the whole object wins over its metadata
	partial map[cluster.Ref]bool                       // only the metadata was read
	logs    map[question]string
}

// Record returns a View that looks through another and remembers.
func Record(view cluster.View) *Recorder {
	return &Recorder{View: view, answers: map[question]answer{}, logs: map[question]string{},
		objects: map[cluster.Ref]*unstructured.Unstructured{}, partial: map[cluster.Ref]bool{}}
}

func (r *Recorder) note(a answer, err error, metadata bool, objects ...*unstructured.Unstructured) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.Failed = failureOf(err)
	r.answers[a.question] = a
	for _, o := range objects {
		if o == nil {
			continue
		}
		ref := cluster.RefOf(o).Identity()
		if _, known := r.objects[ref]; !known || r.partial[ref] && !metadata {
			r.objects[ref], r.partial[ref] = o, metadata
		}
	}
}

// Get looks, and remembers the object.
func (r *Recorder) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	o, err := r.View.Get(ctx, ref)
	r.note(answer{question: getQuestion(ref)}, err, false, o)
	return o, err
}

// List looks, and remembers the objects.
func (r *Recorder) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	list, err := r.View.List(ctx, kind, in)
	r.note(answer{question: listQuestion(kind, in)}, err, in.Metadata, list...)
	return list, err
}

// Can asks, and remembers.
func (r *Recorder) Can(ctx context.Context, verb string, kind schema.GroupKind, in cluster.Scope) (bool, error) {
	yes, err := r.View.Can(ctx, verb, kind, in)
	r.note(answer{question: canQuestion(verb, kind, in), Yes: yes}, err, false)
	return yes, err
}

// Serves asks, and remembers.
func (r *Recorder) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	yes, err := r.View.Serves(ctx, kind)
	r.note(answer{question: servesQuestion(kind), Yes: yes}, err, false)
	return yes, err
}

// Logs reads, and remembers.
func (r *Recorder) Logs(ctx context.Context, pod cluster.Ref, of cluster.LogScope) (string, error) {
	log, err := r.View.Logs(ctx, pod, of)
	q := logsQuestion(pod, of)
	r.note(answer{question: q}, err, false)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.logs[q] = log
	}
	return log, err
}

// Raw asks, and remembers.
func (r *Recorder) Raw(ctx context.Context, path string) ([]byte, error) {
	content, err := r.View.Raw(ctx, path)
	r.note(answer{question: rawQuestion(path), Text: string(content)}, err, false)
	return content, err
}

// Pods returns the pods that were read, in the order of their names.
func (r *Recorder) Pods() []*unstructured.Unstructured {
	r.mu.Lock()
	defer r.mu.Unlock()
	var pods []*unstructured.Unstructured
	for ref, o := range r.objects {
		if ref.Kind == "Pod" && !r.partial[ref] {
			pods = append(pods, o)
		}
	}
	slices.SortFunc(pods, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(cluster.RefOf(a).String(), cluster.RefOf(b).String())
	})
	return pods
}

func sortedObjects(objects map[cluster.Ref]*unstructured.Unstructured) []*unstructured.Unstructured {
	refs := slices.SortedFunc(maps.Keys(objects), func(a, b cluster.Ref) int {
		return strings.Compare(a.APIVersion+" "+a.String(), b.APIVersion+" "+b.String())
	})
	list := make([]*unstructured.Unstructured, len(refs))
	for i, ref := range refs {
		list[i] = objects[ref]
	}
	return list
}
