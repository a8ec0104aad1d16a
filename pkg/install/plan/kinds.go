package plan

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A kindTable knows the resource and scope of each kind: from the request's CRDs, then from the server.
type kindTable struct {
	defined map[schema.GroupKind]*definedKind
	server  Kinds
}

type definedKind struct {
	plural     string
	namespaced bool
	definition cluster.Ref
}

func newKindTable(request Request, server Kinds) *kindTable {
	t := &kindTable{defined: map[schema.GroupKind]*definedKind{}, server: server}
	for _, component := range request.Components {
		for _, o := range component.Objects {
			if o.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind {
				t.define(o)
			}
		}
	}
	return t
}

func (t *kindTable) define(o *unstructured.Unstructured) {
	kind := kube.DefinedKind(o)
	t.defined[kind] = &definedKind{
		plural:     kube.Text(o.Object, "spec", "names", "plural"),
		namespaced: kube.Text(o.Object, "spec", "scope") != "Cluster",
		definition: cluster.RefOf(o).Identity(),
	}
}

// namespaced reports whether a kind is namespaced; known is false if neither a CRD nor the server has it.
func (t *kindTable) namespaced(kind schema.GroupVersionKind) (namespaced, known bool) {
	if d, ok := t.defined[kind.GroupKind()]; ok {
		return d.namespaced, true
	}
	mapping, err := t.server(kind)
	if err != nil {
		return false, false
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, true
}

// resource returns the plural name of a kind, as admission rules use it.
func (t *kindTable) resource(kind schema.GroupVersionKind) string {
	if d, ok := t.defined[kind.GroupKind()]; ok {
		return d.plural
	}
	if mapping, err := t.server(kind); err == nil {
		return mapping.Resource.Resource
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	return strings.ToLower(plural.Resource)
}

// setNamespace sets the namespace that an object is applied in.
func (t *kindTable) setNamespace(o *unstructured.Unstructured, namespace string) {
	namespaced, known := t.namespaced(o.GroupVersionKind())
	switch {
	case known && !namespaced:
		o.SetNamespace("")
	case known && o.GetNamespace() == "" && namespace == "":
		o.SetNamespace("default")
	case known && o.GetNamespace() == "":
		o.SetNamespace(namespace)
	}
}
