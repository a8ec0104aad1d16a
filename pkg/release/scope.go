package release

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// clusterScopedElsewhere are the cluster-scoped kinds of the projects that Kubeflow includes, for when their CRDs are in a
// component that was not requested.
var clusterScopedElsewhere = map[string][]string{
	"cert-manager.io":       {"ClusterIssuer"},
	"kubeflow.org":          {"Profile"},
	"metacontroller.k8s.io": {"CompositeController", "DecoratorController"},
	"rbac.istio.io":         {"ClusterRbacConfig"},
	"serving.kserve.io":     {"ClusterServingRuntime", "ClusterStorageContainer"},
	"trainer.kubeflow.org":  {"ClusterTrainingRuntime"},
}

// setNamespaces sets every object's namespace. It removes the namespace of cluster-scoped objects, as the
// server would; other objects without a namespace get the given one, as with kfctl. The scope of built-in
// kinds is known; that of others is read from the CRDs among the objects.
func setNamespaces(components []RenderedComponent, namespace string) {
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

// clusterKinds returns the scope of the kinds that the CRDs among the objects define.
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

// kfctlLabels are the labels that kfctl set on the namespace it installed into.
var kfctlLabels = map[string]string{
	"control-plane":                    "kubeflow",
	"katib-metricscollector-injection": "enabled",
}

// ownNamespace adds the labelled namespace that kfctl created before it applied anything.
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
