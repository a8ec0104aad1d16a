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
	if result.Status == status.CurrentStatus && withoutPods(o) {
		return false, "no pod created yet"
	}
	return result.Status == status.CurrentStatus, result.Message
}

// withoutPods reports whether a Job has begun and has never had a pod: a quota or a policy may reject them.
func withoutPods(o *unstructured.Unstructured) bool {
	if o.GroupVersionKind().GroupKind() != kube.JobKind || kube.Text(o.Object, "spec", "managedBy") != "" || len(kube.Conditions(o)) > 0 {
		return false
	}
	for _, pods := range []string{"active", "succeeded", "failed", "terminating"} {
		if kube.Number(o.Object, "status", pods) > 0 {
			return false
		}
	}
	suspended, _, _ := unstructured.NestedBool(o.Object, "spec", "suspend")
	return !suspended
}
