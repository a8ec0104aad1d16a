package fixes

import (
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// controlPlane are the field managers of Kubernetes' own controllers: what they fill in is no change of the user's.
var controlPlane = []string{"kube-controller-manager", "cloud-controller-manager", "kube-apiserver", "kube-scheduler", "clusterrole-aggregation-controller"}

// writers reports whether fixes own fields of an object, and which other clients do. The status does not count.
func writers(o *unstructured.Unstructured) (ours bool, others []string) {
	for _, entry := range o.GetManagedFields() {
		switch {
		case entry.Manager == doctor.Manager:
			ours = true
		case entry.Subresource != "", onlyStatus(entry), slices.Contains(controlPlane, entry.Manager), slices.Contains(others, entry.Manager):
		default:
			others = append(others, entry.Manager)
		}
	}
	return ours, others
}

// onlyStatus reports whether an entry is about the status alone: Kubernetes before 1.22 does not name the subresource.
func onlyStatus(entry metav1.ManagedFieldsEntry) bool {
	var fields map[string]json.RawMessage
	if entry.FieldsV1 == nil || json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil {
		return false
	}
	_, status := fields["f:status"]
	return status && len(fields) == 1
}
