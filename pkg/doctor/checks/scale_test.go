package checks

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// A questions is a View that counts what would be a request to an API server: each different question once, and none for an object
// that a whole list has.
type questions struct {
	view  cluster.View
	mu    sync.Mutex
	asked map[string]bool
}

func (q *questions) note(format string, args ...any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked[fmt.Sprintf(format, args...)] = true
}

func (q *questions) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	q.note("get %v", ref.Identity())
	return q.view.Get(ctx, ref)
}

func (q *questions) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	q.note("list %v %+v", kind, in)
	return q.view.List(ctx, kind, in)
}

func (q *questions) Can(ctx context.Context, verb string, kind schema.GroupKind, in cluster.Scope) (bool, error) {
	q.note("can %s %v %+v", verb, kind, in)
	return q.view.Can(ctx, verb, kind, in)
}

func (q *questions) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	return q.view.Serves(ctx, kind)
}

func (q *questions) Logs(ctx context.Context, pod cluster.Ref, of cluster.LogScope) (string, error) {
	q.note("logs %v %+v", pod, of)
	return q.view.Logs(ctx, pod, of)
}

func (q *questions) Version(ctx context.Context) (*version.Info, error) { return q.view.Version(ctx) }
func (q *questions) Now(ctx context.Context) (time.Time, error)         { return q.view.Now(ctx) }
func (q *questions) Raw(ctx context.Context, path string) ([]byte, error) {
	return q.view.Raw(ctx, path)
}

// requests returns how many there would be: a Namespace is in the list of all, and any check lists those.
func (q *questions) requests() int {
	n := 0
	for asked := range q.asked {
		if !strings.HasPrefix(asked, "get Namespace/") {
			n++
		}
	}
	return n
}

// grown returns the objects of a case as a cluster n times as large has them: with as many copies of each profile namespace, of
// each namespace that is not Kubeflow's, of what is in them or named after them, and of each node.
func grown(objects []*unstructured.Unstructured, n int) []*unstructured.Unstructured {
	copied := map[string]bool{}
	for _, o := range objects {
		name := o.GetNamespace()
		if o.GetKind() == "Namespace" {
			name = o.GetName()
		}
		copied[name] = name != "" && !workloads.IsSystem(name) && !strings.HasPrefix(name, "kube")
	}
	var all []*unstructured.Unstructured
	for _, o := range objects {
		all = append(all, o)
		for i := 1; i < n; i++ {
			suffix := fmt.Sprintf("-%d", i)
			another := o.DeepCopy()
			switch {
			case o.GetKind() == "Node", o.GetNamespace() == "" && copied[o.GetName()]:
				another.SetName(o.GetName() + suffix)
			case copied[o.GetNamespace()]:
				another.SetNamespace(o.GetNamespace() + suffix)
			default:
				continue
			}
			all = append(all, another)
		}
	}
	return all
}

// TestRequestsDoNotGrowWithTheCluster runs the cases of every check on clusters with more and more namespaces and nodes of the same
// kind, each with the same fault.
func TestRequestsDoNotGrowWithTheCluster(t *testing.T) {
	const few, many = 30, 90 // with few, every limit on what is read one by one is reached
	for _, c := range All() {
		paths, _ := filepath.Glob(casesOf(c))
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, settings := read(t, a)
			if settings.Install != nil {
				continue
			}
			var server *version.Info
			if v := strings.TrimSpace(file(a, "version")); v != "" {
				server = &version.Info{GitVersion: v}
			}
			base := objects(t, file(a, "cluster.yaml"))
			look := func(n int) (requests int, allocations float64) {
				view := cluster.Saved("the case", savedAnswers(t, a, server), grown(base, n)...)
				allocations = testing.AllocsPerRun(1, func() {
					q := &questions{view: view, asked: map[string]bool{}}
					doctor.Diagnose(context.Background(), q, []*doctor.Check{c}, doctor.Options{Settings: settings})
					requests = q.requests()
				})
				return requests, allocations
			}
			before, small := look(few)
			after, large := look(many)
			if after > before {
				t.Errorf("%s: %d requests with %d of each, %d with %d", caseName(path), before, few, after, many)
			}
			if large > 1.5*many/few*small {
				t.Errorf("%s: the work grows faster than the cluster: %.0f allocations with %d of each, %.0f with %d", caseName(path), small, few, large, many)
			}
		}
	}
}
