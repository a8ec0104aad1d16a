package workloads

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// Scaled is what a fix does that scales workloads of Kubeflow back.
var Scaled = []doctor.Write{
	{Kind: kube.DeploymentKind, In: Namespaces, Fields: []string{"/spec/replicas"}},
	{Kind: kube.StatefulSetKind, In: Namespaces, Fields: []string{"/spec/replicas"}},
}

// ScaleTo returns the change that gives a workload this number of replicas.
func ScaleTo(workload *unstructured.Unstructured, replicas int64) cluster.Change {
	return cluster.Edit(workload, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, replicas, "spec", "replicas")
	})
}

// MayScale reports whether a fix may scale a workload: it is in one of Kubeflow's own namespaces.
func MayScale(workload *unstructured.Unstructured) bool { return IsSystem(workload.GetNamespace()) }
