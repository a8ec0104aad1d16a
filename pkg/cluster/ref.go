package cluster

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Ref names one object. Namespace is empty for cluster-scoped kinds.
// The version in APIVersion is a preference: [View.Get] finds the object whatever version the server prefers.
type Ref struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// RefOf returns the name of an object.
func RefOf(o *unstructured.Unstructured) Ref {
	return Ref{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}
}

// GroupVersionKind returns the object's type.
func (r Ref) GroupVersionKind() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(r.APIVersion, r.Kind)
}

// GroupKind returns the object's type whatever its version.
func (r Ref) GroupKind() schema.GroupKind { return r.GroupVersionKind().GroupKind() }

// Identity returns the Ref without its version, so that the same object read at two versions compares equal.
func (r Ref) Identity() Ref {
	if group, _, ok := strings.Cut(r.APIVersion, "/"); ok {
		r.APIVersion = group + "/"
	} else {
		r.APIVersion = ""
	}
	return r
}

// String returns "Kind/namespace/name", or "Kind/name" for cluster-scoped kinds.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind + "/" + r.Name
	}
	return r.Kind + "/" + r.Namespace + "/" + r.Name
}
