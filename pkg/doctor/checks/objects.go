package checks

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// The kinds that checks read.
var (
	virtualServiceKind = schema.GroupKind{Group: "networking.istio.io", Kind: "VirtualService"}
	templateKind       = schema.GroupKind{Group: "templates.gatekeeper.sh", Kind: "ConstraintTemplate"}
	nodePoolKind       = schema.GroupKind{Group: "karpenter.sh", Kind: "NodePool"}
	mpiJobKind         = schema.GroupKind{Group: "kubeflow.org", Kind: "MPIJob"}
	ruleKind           = schema.GroupKind{Group: "networking.istio.io", Kind: "DestinationRule"}
)

const mostNamed = 4 // of many objects, a message names this many

const kubeflow = "kubeflow" // the namespace that every release up to now lives in

// kindName names an object in a message: "Deployment kubeflow/mpi-operator".
func kindName(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

// container returns the container of a workload's pods with this name; without such a one, the first.
func container(workload *unstructured.Unstructured, name string) map[string]any {
	list := kube.Items(workload.Object, "spec", "template", "spec", "containers")
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
