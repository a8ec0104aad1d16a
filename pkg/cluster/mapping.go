package cluster

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// resource returns the endpoint for an object, at its own version when the server has it, else at the preferred one.
func (c *Client) resource(ref Ref) (dynamic.ResourceInterface, error) {
	mapping, err := c.Mapping(ref.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	in := c.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return in.Namespace(ref.Namespace), nil
	}
	return in, nil
}

// Mapping returns the resource and scope of a kind. Without a version, or with one the server lacks, it is the preferred version's.
// The error of a kind the server does not have satisfies meta.IsNoMatchError.
func (c *Client) Mapping(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	c.mu.RLock()
	mapping, ok := c.learned[kind]
	c.mu.RUnlock()
	if ok {
		return &mapping, nil
	}
	if kind.Version != "" {
		if found, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version); err == nil {
			return found, nil
		}
	}
	return c.mapper.RESTMapping(kind.GroupKind())
}

// Learn takes the kinds of a CustomResourceDefinition (v1 or v1beta1) from the definition itself,
// so that its objects can be written as soon as it is established, without asking discovery again.
func (c *Client) Learn(definition *unstructured.Unstructured) {
	defined, plural := kube.DefinedKind(definition), kube.Text(definition.Object, "spec", "names", "plural")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, version := range servedVersions(definition) {
		gv := schema.GroupVersion{Group: defined.Group, Version: version}
		mapping := meta.RESTMapping{Resource: gv.WithResource(plural), GroupVersionKind: gv.WithKind(defined.Kind), Scope: meta.RESTScopeNamespace}
		if kube.Text(definition.Object, "spec", "scope") == "Cluster" {
			mapping.Scope = meta.RESTScopeRoot
		}
		c.learned[gv.WithKind(defined.Kind)] = mapping
	}
}

// servedVersions returns the versions that a definition serves; v1beta1 may name a single one in spec.version.
func servedVersions(definition *unstructured.Unstructured) []string {
	listed, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	var served []string
	for _, item := range listed {
		version, ok := item.(map[string]any)
		if !ok || version["served"] == false {
			continue
		}
		if name, ok := version["name"].(string); ok {
			served = append(served, name)
		}
	}
	if single, _, _ := unstructured.NestedString(definition.Object, "spec", "version"); single != "" && len(listed) == 0 {
		served = append(served, single)
	}
	return served
}

// Forget drops what was remembered of discovery, for when kinds have come or gone.
func (c *Client) Forget() {
	c.discovery.Invalidate()
	if resettable, ok := c.mapper.(meta.ResettableRESTMapper); ok {
		resettable.Reset()
	}
}
