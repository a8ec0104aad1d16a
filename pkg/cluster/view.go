package cluster

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
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
// needs the answer waits for the one that is under way.
func Ahead(ctx context.Context, view View, questions ...Question) {
	for _, q := range questions {
		go func() {
			if q.Ref.Name != "" {
				_, _ = view.Get(ctx, q.Ref)
			} else {
				_, _ = view.List(ctx, q.Kind, q.In)
			}
		}()
	}
}

// ErrUnknowable is the error for a question that a source cannot answer: rendered manifests have no server version.
type ErrUnknowable struct{ What, Source string }

func (e *ErrUnknowable) Error() string {
	return fmt.Sprintf("%s cannot be known from %s", e.What, e.Source)
}
