package plan

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// digest returns a short hash of a rendered object.
func digest(o *unstructured.Unstructured) string {
	body, err := json.Marshal(o.Object) // keys come out sorted
	if err != nil {
		return ""
	}
	return inventory.Hash(body)
}

// OwnedFieldsHash returns a short hash of the fields that an install owns in a live object. A field that another client changes
// leaves the set, so an equal hash means that no applied field has changed.
func OwnedFieldsHash(o *unstructured.Unstructured) string {
	body, version := ownedFields(o)
	switch {
	case version == "":
		return "none" // the object sets only its name
	case body == nil:
		return ""
	}
	return inventory.Hash(append(body, version...))
}

// OwnedFields returns those fields as managedFields have them, "" for a CRD, of which there are too many.
func OwnedFields(o *unstructured.Unstructured) string {
	if o.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind {
		return ""
	}
	body, _ := ownedFields(o)
	return string(body)
}

// ownedFields returns the fields, and the API version that they are of; "" if there are none.
func ownedFields(o *unstructured.Unstructured) (body []byte, version string) {
	for _, entry := range o.GetManagedFields() {
		if AppliedByInstall(entry) && entry.Subresource == "" && entry.FieldsV1 != nil {
			fields := inventory.DecodeFields(entry.FieldsV1.GetRawBytes())
			if IsWebhookConfiguration(o) {
				fields = dropControllerFields(fields)
			}
			body, err := json.Marshal(fields)
			if err != nil {
				return nil, entry.APIVersion
			}
			return body, entry.APIVersion
		}
	}
	return nil, ""
}

// wantedReplicas returns how many pods a Deployment or StatefulSet is to have, and whether that is none.
func wantedReplicas(o *unstructured.Unstructured) (n int64, stopped bool) {
	if kind := o.GroupVersionKind().GroupKind(); kind != kube.DeploymentKind && kind != kube.StatefulSetKind {
		return 0, false
	}
	n = kube.Replicas(o)
	return n, n == 0
}
