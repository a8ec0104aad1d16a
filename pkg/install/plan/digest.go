package plan

import (
	"encoding/json"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// digest returns a short hash of what an object should be.
func digest(o *unstructured.Unstructured) string {
	body, err := json.Marshal(o.Object) // keys come out sorted
	if err != nil {
		return ""
	}
	return inventory.Hash(body)
}

// Claim returns a short hash of the fields of a live object that this program owns. A field that somebody else
// changes leaves the set, so an equal claim says that everything applied is still as it was.
func Claim(o *unstructured.Unstructured) string {
	for _, entry := range o.GetManagedFields() {
		if ThisProgram(entry) && entry.Subresource == "" && entry.FieldsV1 != nil {
			fields := inventory.DecodeFields(entry.FieldsV1.GetRawBytes())
			if IsWebhooks(o) {
				fields = withoutYieldable(fields)
			}
			body, err := json.Marshal(fields)
			if err != nil {
				return ""
			}
			return inventory.Hash(append(body, entry.APIVersion...))
		}
	}
	return "none" // an object of a name alone
}

func quote(s string) string { return strconv.Quote(s) }
