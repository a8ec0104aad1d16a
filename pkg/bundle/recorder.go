package bundle

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Recorder is a View that records its requests and their responses. It is safe for concurrent use.
type Recorder struct {
	view cluster.View // not embedded: a method that View gets has to be recorded too

	mu      sync.Mutex
	version *version.Info // nil if it was not requested, or could not be read
	now     time.Time     // by the server's clock; zero in the same cases
	answers map[question]answer
	objects map[cluster.Ref]*unstructured.Unstructured // by Identity; the whole object takes precedence over parts of it
	partial map[cluster.Ref]bool                       // only some fields were read
	logs    map[question]string
}

// Record returns a Recorder that reads from another View.
func Record(view cluster.View) *Recorder {
	return &Recorder{view: view, answers: map[question]answer{}, logs: map[question]string{},
		objects: map[cluster.Ref]*unstructured.Unstructured{}, partial: map[cluster.Ref]bool{}}
}

func (r *Recorder) note(a answer, err error, partial bool, objects ...*unstructured.Unstructured) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.Failed = failureOf(err)
	r.answers[a.question] = a
	for _, o := range objects {
		if o == nil {
			continue
		}
		ref := cluster.RefOf(o).Identity()
		switch before, known := r.objects[ref]; {
		case !known, r.partial[ref] && !partial:
			r.objects[ref], r.partial[ref] = o, partial
		case r.partial[ref]:
			r.objects[ref] = &unstructured.Unstructured{Object: union(before.Object, o.Object)}
		}
	}
}

// union returns the fields of two parts of one object. Neither is changed: others read them.
func union(a, b map[string]any) map[string]any {
	both := maps.Clone(a)
	for name, field := range b {
		inA, _ := a[name].(map[string]any)
		if inB, ok := field.(map[string]any); ok && inA != nil {
			field = union(inA, inB)
		}
		both[name] = field
	}
	return both
}

// Get reads an object and records it.
func (r *Recorder) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	o, err := r.view.Get(ctx, ref)
	r.note(answer{question: getQuestion(ref)}, err, false, o)
	return o, err
}

// List reads objects and records them.
func (r *Recorder) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	list, err := r.view.List(ctx, kind, in)
	r.note(answer{question: listQuestion(kind, in)}, err, in.Metadata || in.Keep != "", list...)
	return list, err
}

// Can checks a permission and records the result.
func (r *Recorder) Can(ctx context.Context, verb string, kind schema.GroupKind, in cluster.Scope) (bool, error) {
	yes, err := r.view.Can(ctx, verb, kind, in)
	r.note(answer{question: canQuestion(verb, kind, in), Yes: yes}, err, false)
	return yes, err
}

// Serves checks for a kind and records the result.
func (r *Recorder) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	yes, err := r.view.Serves(ctx, kind)
	r.note(answer{question: servesQuestion(kind), Yes: yes}, err, false)
	return yes, err
}

// Version reads the server's version and records it.
func (r *Recorder) Version(ctx context.Context) (*version.Info, error) {
	version, err := r.view.Version(ctx)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.version = version
	}
	return version, err
}

// Now reads the server's time and records it.
func (r *Recorder) Now(ctx context.Context) (time.Time, error) {
	now, err := r.view.Now(ctx)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.now = now
	}
	return now, err
}

// Logs reads a log and records it.
func (r *Recorder) Logs(ctx context.Context, pod cluster.Ref, of cluster.LogScope) (string, error) {
	log, err := r.view.Logs(ctx, pod, of)
	q := logsQuestion(pod, of)
	r.note(answer{question: q}, err, false)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.logs[q] = log
	}
	return log, err
}

// Raw reads a path and records the response.
func (r *Recorder) Raw(ctx context.Context, path string) ([]byte, error) {
	content, err := r.view.Raw(ctx, path)
	r.note(answer{question: rawQuestion(path), Text: string(content)}, err, false)
	return content, err
}

// Pods returns the pods that were read, sorted by name.
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
