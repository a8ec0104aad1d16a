package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// asked is a View whose errors remember what was asked, so that a refusal can name the permission that is needed. The View
// is not embedded: a method that cluster.View gets has to be thought of here.
type asked struct {
	view  cluster.View
	sight *sight // nil where nobody wants to know
}

// A sight is whether what was asked for was there. Namespaces and events are left out: there are some, or none, whatever is looked at.
type sight struct{ looked, saw atomic.Bool }

func (s *sight) note(ctx context.Context, kind schema.GroupKind, saw bool) {
	if s == nil || cluster.InAdvance(ctx) || kind == kube.NamespaceKind || kind == kube.EventKind {
		return
	}
	s.looked.Store(true)
	if saw {
		s.saw.Store(true)
	}
}

// nothing reports whether a look saw nothing of what it looked for.
func (s *sight) nothing() bool { return s.looked.Load() && !s.saw.Load() }

type askedError struct {
	verb, kind, namespace string
	err                   error
}

func (e *askedError) Error() string { return e.err.Error() }
func (e *askedError) Unwrap() error { return e.err }

// needs says which permission would have answered: "needs list on pods in namespace kubeflow".
func (e *askedError) needs() string {
	resource := e.kind
	var status apierrors.APIStatus
	if errors.As(e.err, &status) && status.Status().Details != nil && status.Status().Details.Kind != "" {
		resource = status.Status().Details.Kind
	}
	if e.namespace == "" {
		return fmt.Sprintf("needs %s on %s", e.verb, resource)
	}
	return fmt.Sprintf("needs %s on %s in namespace %s", e.verb, resource, e.namespace)
}

func (v asked) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	o, err := v.view.Get(ctx, ref)
	v.sight.note(ctx, ref.GroupKind(), err == nil)
	if err != nil {
		err = &askedError{"get", ref.Kind, ref.Namespace, err}
	}
	return o, err
}

func (v asked) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	list, err := v.view.List(ctx, kind, in)
	v.sight.note(ctx, kind, len(list) > 0)
	if err != nil {
		err = &askedError{"list", kind.Kind, in.Namespace, err}
	}
	return list, err
}

func (v asked) Logs(ctx context.Context, pod cluster.Ref, of cluster.LogScope) (string, error) {
	log, err := v.view.Logs(ctx, pod, of)
	if err != nil {
		err = &askedError{"get", "pods/log", pod.Namespace, err}
	}
	return log, err
}

func (v asked) Raw(ctx context.Context, path string) ([]byte, error) {
	answer, err := v.view.Raw(ctx, path)
	v.sight.note(ctx, schema.GroupKind{}, err == nil)
	if err != nil {
		err = &askedError{"get", path, "", err}
	}
	return answer, err
}

func (v asked) Can(ctx context.Context, verb string, kind schema.GroupKind, in cluster.Scope) (bool, error) {
	return v.view.Can(ctx, verb, kind, in) // everybody may ask for their own permissions
}

func (v asked) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	return v.view.Serves(ctx, kind)
}

func (v asked) Version(ctx context.Context) (*version.Info, error) { return v.view.Version(ctx) }

func (v asked) Now(ctx context.Context) (time.Time, error) { return v.view.Now(ctx) }
