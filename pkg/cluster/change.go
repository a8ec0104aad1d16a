package cluster

import (
	"encoding/json"
	"fmt"

	"github.com/wI2L/jsondiff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Verb says how a Change is written.
type Verb string

// The ways to write an object.
const (
	Apply   Verb = "apply"   // server-side apply of After; Before may be nil
	Create  Verb = "create"  // create After; an object of that name is an error (apierrors.IsAlreadyExists)
	Patch   Verb = "patch"   // write the difference between Before and After, if nobody changed the object in between
	Delete  Verb = "delete"  // delete Before
	Restart Verb = "restart" // a Patch that makes a workload replace its pods
)

// A Change is one intended write, held as data so that it can be shown, compared, tested, undone and only then done.
type Change struct {
	Verb   Verb
	Before *unstructured.Unstructured // what the decision was based on; nil when the object was not there
	After  *unstructured.Unstructured // what is wanted; nil for Delete
}

// Ref names the object that changes.
func (c Change) Ref() Ref {
	if c.After != nil {
		return RefOf(c.After)
	}
	return RefOf(c.Before)
}

// Edit returns the Change that edit makes to an object, leaving the object itself alone.
func Edit(before *unstructured.Unstructured, edit func(*unstructured.Unstructured)) Change {
	after := before.DeepCopy()
	edit(after)
	return Change{Verb: Patch, Before: before, After: after}
}

// Inverse returns the patch that takes a Change back: RFC 6902 operations which first test that
// what the Change wrote is still there, so that nobody's later edit is lost.
func (c Change) Inverse() ([]byte, error) {
	return operations(c.After, c.Before, jsondiff.Invertible())
}

// operations returns the RFC 6902 patch from one object to another. What the server keeps for itself is left out.
func operations(from, to *unstructured.Unstructured, opts ...jsondiff.Option) ([]byte, error) {
	a, err := json.Marshal(stripped(from))
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", RefOf(from), err)
	}
	b, err := json.Marshal(stripped(to))
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", RefOf(to), err)
	}
	patch, err := jsondiff.CompareJSON(a, b, opts...)
	if err != nil {
		return nil, fmt.Errorf("comparing %s: %w", RefOf(from), err)
	}
	if len(patch) == 0 {
		return nil, nil
	}
	return json.Marshal(patch)
}

// serverFields are the metadata fields that only the server writes.
var serverFields = []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"}

func stripped(o *unstructured.Unstructured) map[string]any {
	o = o.DeepCopy()
	for _, f := range serverFields {
		unstructured.RemoveNestedField(o.Object, "metadata", f)
	}
	unstructured.RemoveNestedField(o.Object, "status")
	return o.Object
}
