package plan

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
	for _, entry := range o.GetManagedFields() {
		if AppliedByInstall(entry) && entry.Subresource == "" && entry.FieldsV1 != nil {
			fields := inventory.DecodeFields(entry.FieldsV1.GetRawBytes())
			if IsWebhookConfiguration(o) {
				fields = dropControllerFields(fields)
			}
			body, err := json.Marshal(fields)
			if err != nil {
				return ""
			}
			return inventory.Hash(append(body, entry.APIVersion...))
		}
	}
	return "none" // the object sets only its name
}
