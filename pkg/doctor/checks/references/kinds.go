package references

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// followKinds looks for the namespaces and the CustomResourceDefinitions that manifests need. Manifests that bring none of either are
// for a cluster that has them.
func (k *known) followKinds(g *gaps) {
	if !k.manifests {
		return
	}
	defined, groups := map[schema.GroupKind]bool{}, map[string]bool{}
	resources := map[string]bool{}
	var kinds []string
	for _, definition := range k.of(kube.CustomResourceDefinitionKind) {
		kind := kube.DefinedKind(definition)
		defined[kind], groups[kind.Group] = true, true
		kinds = append(kinds, kind.Kind)
		resources[kube.Text(definition.Object, "spec", "names", "plural")+"."+kind.Group] = true
	}
	namespaces := k.names(target{kind: kube.NamespaceKind})
	for _, o := range k.everything {
		kind, namespace := o.GroupVersionKind().GroupKind(), o.GetNamespace()
		if len(defined) > 0 && !kube.BuiltIn(kind) && !defined[kind] {
			g.add(place{object: o, path: "kind"}, gap{what: "CustomResourceDefinition of kind " + kind.Kind + " in group " + kind.Group, near: text.Closest(kind.Kind, kinds), effect: "The API server does not know the kind."})
		}
		if namespace != "" && len(namespaces) > 0 && !slices.Contains(namespaces, namespace) && !alwaysThere(namespace) && kind.Kind != "Node" {
			g.add(place{object: o, path: "metadata.namespace"}, gap{what: "Namespace " + namespace, near: text.Closest(namespace, namespaces), effect: "The API server rejects the object."})
		}
	}
	for _, kind := range []schema.GroupKind{compositeKind, decoratorKind} {
		for _, o := range k.of(kind) {
			for _, field := range []string{"spec.parentResource.resource", "spec.resources[].resource", "spec.childResources[].resource", "spec.attachments[].resource"} {
				places(o, field, func(p place) { followResource(p, groups, resources, g) })
			}
		}
	}
}

// followResource looks for the kind of which a controller watches or makes objects. Kinds of groups that the manifests do not define are
// the cluster's.
func followResource(p place, groups, resources map[string]bool, g *gaps) {
	group, _, found := strings.Cut(p.text("apiVersion"), "/")
	name := valueOf(p) + "." + group
	if !found || !groups[group] || resources[name] {
		return
	}
	var known []string
	for resource := range resources {
		known = append(known, resource)
	}
	slices.Sort(known)
	g.add(p, gap{what: "resource " + name, near: text.Closest(name, known), effect: "The controller does nothing."})
}

// alwaysThere reports whether a namespace is in every cluster.
func alwaysThere(namespace string) bool {
	return namespace == "default" || strings.HasPrefix(namespace, "kube-")
}
