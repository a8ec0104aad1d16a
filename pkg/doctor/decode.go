package doctor

import (
	"encoding/base64"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// decode reads a run out of the object that holds it.
func decode(o *unstructured.Unstructured) (*Run, error) {
	text, _, err := unstructured.NestedString(o.Object, "data", recordKey)
	if err != nil {
		return nil, err
	}
	content := []byte(text)
	if o.GetKind() == "Secret" {
		if content, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, err
		}
	}
	run := &Run{kind: o.GetKind()}
	return run, json.Unmarshal(content, run)
}
