package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// gaps are what a check was not allowed to read and went on without.
type gaps struct {
	mu    sync.Mutex
	first error
	note  string // what a check that passes has to say
}

// Lists lists a kind in several scopes side by side.
func (e Exam) Lists(ctx context.Context, kind schema.GroupKind, scopes ...cluster.Scope) ([][]*unstructured.Unstructured, error) {
	lists := make([][]*unstructured.Unstructured, len(scopes))
	for i, a := range e.ask(ctx, kind, scopes) {
		if a.err != nil {
			return nil, a.err
		}
		lists[i] = a.list
	}
	return lists, nil
}

type listAnswer struct {
	list []*unstructured.Unstructured
	err  error
}

// ask asks for several lists at once: each takes a round trip, and the server may be far away.
func (e Exam) ask(ctx context.Context, kind schema.GroupKind, scopes []cluster.Scope) []listAnswer {
	answers := make([]listAnswer, len(scopes))
	var wait sync.WaitGroup
	for i, in := range scopes {
		wait.Go(func() { answers[i].list, answers[i].err = e.List(ctx, kind, in) })
	}
	wait.Wait()
	return answers
}

func inEach(namespaces []string) []cluster.Scope {
	scopes := make([]cluster.Scope, len(namespaces))
	for i, name := range namespaces {
		scopes[i] = cluster.Scope{Namespace: name}
	}
	return scopes
}

// ListIn lists a kind in some namespaces, side by side. Who may read only some of them gets what is there, and the report says that the
// check did not see all; the error is that of the first when none may be read.
func (e Exam) ListIn(ctx context.Context, kind schema.GroupKind, namespaces ...string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	var refused error
	read := 0
	if e.Namespace != "" { // the others cannot be seen
		namespaces = slices.DeleteFunc(slices.Clone(namespaces), func(name string) bool { return name != e.Namespace })
	}
	for _, a := range e.ask(ctx, kind, inEach(namespaces)) {
		switch {
		case apierrors.IsForbidden(a.err):
			if refused == nil {
				refused = a.err
			}
			continue
		case a.err != nil:
			return nil, a.err
		}
		read++
		all = append(all, a.list...)
	}
	if refused != nil && (read == 0 || !e.Without(refused)) {
		return nil, refused
	}
	return all, nil
}

// Manifests returns all objects, of whatever kind, when they are rendered manifests; false when they are on a cluster.
func (e Exam) Manifests(ctx context.Context) ([]*unstructured.Unstructured, bool) {
	var unknowable *cluster.ErrUnknowable
	if _, err := e.Version(ctx); !errors.As(err, &unknowable) {
		return nil, false
	}
	if question, ok := e.View.(asked); ok {
		return cluster.Everything(question.view)
	}
	return cluster.Everything(e.View)
}

// Without notes that a check goes on without what it may not read. It reports whether it may: only for want of a permission.
func (e Exam) Without(err error) bool {
	if e.gaps == nil || !apierrors.IsForbidden(err) {
		return false
	}
	e.gaps.mu.Lock()
	defer e.gaps.mu.Unlock()
	if e.gaps.first == nil {
		e.gaps.first = err
	}
	return true
}

// Note says what a check saw if it passes: "2 CPU needed, 8 CPU available".
func (e Exam) Note(format string, args ...any) {
	if e.gaps == nil {
		return
	}
	e.gaps.mu.Lock()
	defer e.gaps.mu.Unlock()
	e.gaps.note = fmt.Sprintf(format, args...)
}

// admit says in a result what the check did not see. Nothing found is then no proof that all is well.
func (g *gaps) admit(c *CheckReport) {
	if c.Status == OK {
		c.Reason = g.note
	}
	if g.first == nil || c.Status != OK && c.Status != Found {
		return
	}
	_, reason, _ := blame(g.first)
	c.failed = true
	if c.Status == Found {
		c.Reason = "not all was seen: " + reason
		return
	}
	c.Status, c.Reason = Unknown, fmt.Sprintf("%s; nothing was found in what may be read", reason)
}
