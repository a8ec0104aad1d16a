package release

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// clusterScopedElsewhere are the kinds without a namespace of the projects that Kubeflow brings along, for when their
// CustomResourceDefinitions are in a component that was not asked for.
var clusterScopedElsewhere = map[string][]string{
	"cert-manager.io":       {"ClusterIssuer"},
	"kubeflow.org":          {"Profile"},
	"metacontroller.k8s.io": {"CompositeController", "DecoratorController"},
	"rbac.istio.io":         {"ClusterRbacConfig"},
	"serving.kserve.io":     {"ClusterServingRuntime", "ClusterStorageContainer"},
	"trainer.kubeflow.org":  {"ClusterTrainingRuntime"},
}

// settle gives every object its right place. One whose kind has no namespace loses what a
// kustomization put there, as the server would drop it; any other that names none gets the given one,
// as kfctl did by applying it there. What kinds have a namespace is known of Kubernetes' own, and
// read from the CustomResourceDefinitions among the objects for the rest.
func settle(components []RenderedComponent, namespace string) {
	defined := clusterKinds(components)
	for _, component := range components {
		for _, object := range component.Objects {
			kind := object.GroupVersionKind().GroupKind()
			global, known := defined[kind]
			if !known {
				global = kube.ClusterScoped(kind) || slices.Contains(clusterScopedElsewhere[kind.Group], kind.Kind)
			}
			switch {
			case global:
				unstructured.RemoveNestedField(object.Object, "metadata", "namespace")
			case object.GetNamespace() == "" && namespace != "":
				object.SetNamespace(namespace)
			}
		}
	}
}

// clusterKinds are the kinds that the CustomResourceDefinitions among the objects make cluster-wide.
func clusterKinds(components []RenderedComponent) map[schema.GroupKind]bool {
	kinds := map[schema.GroupKind]bool{}
	for _, component := range components {
		for _, object := range component.Objects {
			if object.GetKind() == "CustomResourceDefinition" {
				kinds[kube.DefinedKind(object)] = kube.Text(object.Object, "spec", "scope") == "Cluster"
			}
		}
	}
	return kinds
}

// kfctlLabels are what kfctl put on the namespace it installed into.
var kfctlLabels = map[string]string{
	"control-plane":                    "kubeflow",
	"katib-metricscollector-injection": "enabled",
}

// ownNamespace does what kfctl did before it applied anything: the namespace is there, and labelled.
func ownNamespace(components []RenderedComponent, name string) []RenderedComponent {
	for _, component := range components {
		for _, object := range component.Objects {
			if object.GetAPIVersion() == "v1" && object.GetKind() == "Namespace" && object.GetName() == name {
				label(object)
				return components
			}
		}
	}
	namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
	namespace.SetName(name)
	label(namespace)
	if len(components) == 0 {
		return components
	}
	components[0].Objects = append([]*unstructured.Unstructured{namespace}, components[0].Objects...)
	return components
}

func label(object *unstructured.Unstructured) {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	for key, value := range kfctlLabels {
		labels[key] = value
	}
	object.SetLabels(labels)
}
