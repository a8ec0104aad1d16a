package kube

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// KindName names an object in a message: "Deployment kubeflow/mpi-operator".
func KindName(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

// Replicas returns how many pods a workload is to have: 1, as the API server has it, where it does not say.
func Replicas(workload *unstructured.Unstructured) int64 {
	if n, found, _ := unstructured.NestedInt64(workload.Object, "spec", "replicas"); found {
		return max(n, 0)
	}
	return 1
}

// TemplateContainer returns the container of a workload's pods with this name; without such a one, the first.
func TemplateContainer(workload *unstructured.Unstructured, name string) map[string]any {
	list := Items(workload.Object, "spec", "template", "spec", "containers")
	for _, c := range list {
		if c["name"] == name {
			return c
		}
	}
	if len(list) == 0 {
		return map[string]any{}
	}
	return list[0]
}
