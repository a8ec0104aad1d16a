package bundle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// source is the name of a bundle in errors.
const source = "this bundle"

// View returns the cluster as it was. What was not requested then, and does not follow from other responses, is unknowable.
func (b *Bundle) View() cluster.View {
	memory := cluster.Memory{Version: b.Kubernetes, Now: b.Taken, Logs: b.logs, Raw: map[string][]byte{}}
	v := &replay{answers: map[question]answer{}, leftOut: b.LeftOut}
	for _, a := range b.answers {
		v.answers[a.question] = a
		if a.Verb == "raw" && a.Failed == nil {
			memory.Raw[a.Path] = []byte(a.Text)
		}
	}
	v.saved = cluster.Saved(source, memory, b.objects...)
	return v
}

// replay is a View that returns the saved responses.
type replay struct {
	saved   cluster.View // not embedded, so that a new method of View has to be implemented here
	answers map[question]answer
	leftOut []string
}

// asked returns the error of a request, and whether it was made at all.
func (v *replay) asked(q question) (err error, known bool) {
	a, known := v.answers[q]
	return a.Failed.error(), known
}

// whole reports whether all objects of a kind were read, in the namespace or everywhere.
func (v *replay) whole(kind schema.GroupKind, namespace string) bool {
	for _, in := range []cluster.Scope{{}, {Namespace: namespace}} {
		if err, known := v.asked(listQuestion(kind, in)); known && err == nil {
			return true
		}
	}
	return false
}

func (v *replay) missing(kind schema.GroupKind) bool {
	return slices.Contains(v.leftOut, folderOf(kind.Group)+"/"+kind.Kind)
}

func (v *replay) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	err, known := v.asked(getQuestion(ref))
	switch kind := ref.GroupKind(); {
	case err != nil:
		return nil, err
	case v.missing(kind), !known && !v.whole(kind, ref.Namespace):
		return nil, &cluster.ErrUnknowable{What: ref.String(), Source: source}
	}
	return v.saved.Get(ctx, ref)
}

func (v *replay) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	err, known := v.asked(listQuestion(kind, in))
	if whole := in; !known && in.Keep != "" { // a bundle of an older version may hold the whole objects
		whole.Keep = ""
		err, known = v.asked(listQuestion(kind, whole))
	}
	switch {
	case err != nil:
		return nil, err
	case v.missing(kind), !known && !v.whole(kind, in.Namespace):
		return nil, &cluster.ErrUnknowable{What: "which objects of kind " + kind.Kind + " there are", Source: source}
	}
	list, err := v.saved.List(ctx, kind, in)
	if meta.IsNoMatchError(err) { // the cluster had the kind but no objects of it
		return nil, nil
	}
	return list, err
}

func (v *replay) Can(_ context.Context, verb string, kind schema.GroupKind, in cluster.Scope) (bool, error) {
	return v.yes(canQuestion(verb, kind, in), fmt.Sprintf("whether the user may %s %s", verb, kind.Kind))
}

func (v *replay) Serves(_ context.Context, kind schema.GroupVersionKind) (bool, error) {
	return v.yes(servesQuestion(kind), "whether the server has "+kind.String())
}

func (v *replay) yes(q question, what string) (bool, error) {
	a, known := v.answers[q]
	if !known {
		return false, &cluster.ErrUnknowable{What: what, Source: source}
	}
	return a.Yes, a.Failed.error()
}

func (v *replay) Logs(ctx context.Context, pod cluster.Ref, of cluster.LogScope) (string, error) {
	if err, _ := v.asked(logsQuestion(pod, of)); err != nil {
		return "", err
	}
	return v.saved.Logs(ctx, pod, of)
}

func (v *replay) Raw(ctx context.Context, path string) ([]byte, error) {
	if err, _ := v.asked(rawQuestion(path)); err != nil {
		return nil, err
	}
	return v.saved.Raw(ctx, path)
}

func (v *replay) Version(ctx context.Context) (*version.Info, error) { return v.saved.Version(ctx) }

func (v *replay) Now(ctx context.Context) (time.Time, error) { return v.saved.Now(ctx) }
