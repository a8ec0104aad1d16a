package cluster

import (
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// Ready reports whether a live object has come to rest as wanted, and if not, why, in its own words
// ("Available: 0/1"). The rules are kstatus's: observed generation, conditions, replica counts; and an aggregated
// API is ready when it is available.
func Ready(o *unstructured.Unstructured) (ready bool, why string) {
	result, err := status.Compute(o)
	if err != nil {
		return false, err.Error()
	}
	if result.Status == status.CurrentStatus && o.GetKind() == "APIService" && !kube.IsTrue(o, "Available") {
		return false, "not available yet"
	}
	return result.Status == status.CurrentStatus, result.Message
}
