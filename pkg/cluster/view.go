package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// A View is a read-only look at one cluster, at rendered manifests, or at a saved bundle.
// Answers are remembered for its life, so a View is a snapshot of what was asked; take a new one to look again.
// What it returns is shared: copy an object (DeepCopy) before changing it. It is safe for concurrent use.
//
// Errors keep the API's own types: apierrors.IsNotFound for an object that is not there, apierrors.IsForbidden
// for one that may not be read, meta.IsNoMatchError for a kind the server does not have, and
// [ErrUnknowable] for what this source cannot tell.
type View interface {
	// Get returns one object.
	Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error)
	// List returns the objects of one kind, in the order of their names.
	List(ctx context.Context, kind schema.GroupKind, in Scope) ([]*unstructured.Unstructured, error)
	// Can reports whether the user may do verb ("get", "patch" …) on the kind.
	Can(ctx context.Context, verb string, kind schema.GroupKind, in Scope) (bool, error)
	// Serves reports whether the server has this kind at this very version.
	Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error)
	// Version returns the Kubernetes version of the server.
	Version(ctx context.Context) (*version.Info, error)
	// Now returns the time by the server's clock, to the second: this machine's own may be wrong.
	Now(ctx context.Context) (time.Time, error)
	// Logs returns the end of what a container of a pod logged.
	Logs(ctx context.Context, pod Ref, of LogScope) (string, error)
	// Raw returns what the server answers at a path that is no object's: "/.well-known/openid-configuration".
	Raw(ctx context.Context, path string) ([]byte, error)
}

// LogLines is how much of a log is worth reading. Who asks in the same words has a log read once.
const LogLines = 100

// A LogScope says which log is wanted, and how much of it.
type LogScope struct {
	Container string
	Previous  bool // of the container that ran before this one
	Lines     int64
}

// A Scope narrows a list. The zero Scope is every object in every namespace.
type Scope struct {
	Namespace string // only this namespace
	Labels    string // a label selector, as kubectl's --selector
	Fields    string // a field selector, as kubectl's --field-selector; without a cluster, ErrUnknowable for one that no server has
	Metadata  bool   // metadata is enough: ask the server for no more
	// Keep names the fields that are enough, as [kube.KeepOf] reads them; "" for whole objects. Name, namespace, UID and version are kept
	// in any case. With it, thousands of objects take little memory. What is not kept looks like what is not there, so objects
	// that will be changed are kept whole, or with everything around what changes.
	Keep string
}

// A Question is one that will be asked of a View: for the object that Ref names, or for those of a kind.
type Question struct {
	Ref  Ref
	Kind schema.GroupKind
	In   Scope
}

// Ahead asks a View side by side what will be asked of it one after the other, and does not wait for the answers: with a server
// that is far away, each question that has to wait for another takes a round trip more. A View asks no question twice, so whoever
// needs the answer waits for the one that is under way. See [Joined] for whoever must not end before the questions do.
func Ahead(ctx context.Context, view View, questions ...Question) {
	asking, joined := ctx.Value(aheadKey{}).(*sync.WaitGroup)
	if !joined {
		asking = &sync.WaitGroup{}
	}
	ctx = context.WithValue(ctx, inAdvance{}, true)
	for _, q := range questions {
		asking.Go(func() {
			if q.Ref.Name != "" {
				_, _ = view.Get(ctx, q.Ref)
			} else {
				_, _ = view.List(ctx, q.Kind, q.In)
			}
		})
	}
}

type aheadKey struct{}

type inAdvance struct{}

// InAdvance reports whether a View is asked ahead: whoever asks may never need the answer.
func InAdvance(ctx context.Context) bool { return ctx.Value(inAdvance{}) != nil }

// Joined returns a context, and a function that waits until all questions asked ahead with it are answered. A View of objects reads
// what its caller may change afterwards.
func Joined(ctx context.Context) (context.Context, func()) {
	asking := &sync.WaitGroup{}
	return context.WithValue(ctx, aheadKey{}, asking), asking.Wait
}

// ErrUnknowable is the error for a question that a source cannot answer: rendered manifests have no server version.
type ErrUnknowable struct{ What, Source string }

func (e *ErrUnknowable) Error() string {
	return fmt.Sprintf("%s cannot be known from %s", e.What, e.Source)
}

// Within returns a View of one namespace of another View, as whoever has permissions in that namespace only sees it: lists are of the
// namespace, of Namespaces there is this one, and everything else is [ErrUnknowable], whatever the user may read.
func Within(base View, namespace string) View { return &withinView{base, namespace} }

type withinView struct {
	base      View // not embedded: a method that View gets has to be thought of here
	namespace string
}

func (v *withinView) outside(what string) error {
	return &ErrUnknowable{What: what, Source: "namespace " + v.namespace}
}

func (v *withinView) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	own := ref.GroupKind() == kube.NamespaceKind && ref.Name == v.namespace
	if !own && ref.Namespace != v.namespace {
		return nil, v.outside(ref.String())
	}
	return v.base.Get(ctx, ref)
}

func (v *withinView) List(ctx context.Context, kind schema.GroupKind, in Scope) ([]*unstructured.Unstructured, error) {
	switch {
	case kind == kube.NamespaceKind:
		return v.itself(ctx, in)
	case kube.ClusterScoped(kind), in.Namespace != "" && in.Namespace != v.namespace:
		return nil, v.outside(kind.Kind + " outside")
	}
	in.Namespace = v.namespace
	return v.base.List(ctx, kind, in)
}

// itself lists the namespace. It is read by name, which a user of the namespace may do.
func (v *withinView) itself(ctx context.Context, in Scope) ([]*unstructured.Unstructured, error) {
	selector, err := labels.Parse(in.Labels)
	if err != nil {
		return nil, err
	}
	ns, err := IgnoreNotFound(v.base.Get(ctx, Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: v.namespace}))
	if err != nil || ns == nil || !selector.Matches(labels.Set(ns.GetLabels())) {
		return nil, err
	}
	return []*unstructured.Unstructured{ns}, nil
}

func (v *withinView) Can(ctx context.Context, verb string, kind schema.GroupKind, in Scope) (bool, error) {
	if in.Namespace != "" && in.Namespace != v.namespace {
		return false, v.outside("permissions")
	}
	in.Namespace = v.namespace
	return v.base.Can(ctx, verb, kind, in)
}

func (v *withinView) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	return v.base.Serves(ctx, kind)
}

func (v *withinView) Version(ctx context.Context) (*version.Info, error) { return v.base.Version(ctx) }

func (v *withinView) Now(ctx context.Context) (time.Time, error) { return v.base.Now(ctx) }

func (v *withinView) Logs(ctx context.Context, pod Ref, of LogScope) (string, error) {
	if pod.Namespace != v.namespace {
		return "", v.outside("logs")
	}
	return v.base.Logs(ctx, pod, of)
}

func (v *withinView) Raw(_ context.Context, path string) ([]byte, error) { return nil, v.outside(path) }
