package install

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// digest returns a short hash of what an object should be.
func digest(o *unstructured.Unstructured) string {
	body, err := json.Marshal(o.Object) // keys come out sorted
	if err != nil {
		return ""
	}
	return short(body)
}

// claim returns a short hash of the fields of a live object that this program owns. A field that somebody else
// changes leaves the set, so an equal claim says that everything applied is still as it was.
func claim(o *unstructured.Unstructured) string {
	for _, entry := range o.GetManagedFields() {
		if thisProgram(entry) && entry.Subresource == "" && entry.FieldsV1 != nil {
			fields := decodeFields(entry.FieldsV1.GetRawBytes())
			if isWebhooks(o) {
				fields = withoutYieldable(fields)
			}
			body, err := json.Marshal(fields)
			if err != nil {
				return ""
			}
			return short(append(body, entry.APIVersion...))
		}
	}
	return "none" // an object of a name alone
}

func short(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func decodeFields(raw []byte) map[string]any {
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil {
		return nil
	}
	return fields
}

func quote(s string) string { return strconv.Quote(s) }
