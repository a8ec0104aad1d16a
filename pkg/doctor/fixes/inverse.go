package fixes

import (
	"encoding/json"
	"slices"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/wI2L/jsondiff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// An inverse is the operations that undo an update: they test for what the update wrote first.
type inverse jsondiff.Patch

func decodeInverse(recorded json.RawMessage) (inverse, error) {
	if len(recorded) == 0 {
		return nil, nil
	}
	var p inverse
	return p, json.Unmarshal(recorded, &p)
}

// applies reports whether what the update wrote is still there.
func (p inverse) applies(now *unstructured.Unstructured) bool {
	document, err := json.Marshal(now)
	if err != nil {
		return false
	}
	_, err = patched(document, jsondiff.Patch(p))
	return err == nil
}

// isDone reports whether an object is as it was before the update: then making and undoing the update again changes nothing.
func (p inverse) isDone(now *unstructured.Unstructured) bool {
	document, err := json.Marshal(now)
	if err != nil {
		return false
	}
	again, err := p.forward()
	if err != nil || p.leaves(document) {
		return false
	}
	made, err := patched(document, again)
	if err != nil {
		return false
	}
	back, err := patched(made, jsondiff.Patch(p))
	return err == nil && jsonpatch.Equal(document, back)
}

// leaves reports whether a document has something where the update added something: in a list, adding and removing it
// again would not show that.
func (p inverse) leaves(document []byte) bool {
	return slices.ContainsFunc(p, func(o jsondiff.Operation) bool {
		if o.Type != jsondiff.OperationRemove {
			return false
		}
		_, err := patched(document, jsondiff.Patch{o})
		return err == nil
	})
}

// forward returns the operations that make the update.
func (p inverse) forward() (jsondiff.Patch, error) {
	forward, err := jsondiff.Patch(p).Invert()
	if err != nil {
		return nil, err
	}
	forward = slices.DeleteFunc(forward, func(o jsondiff.Operation) bool { return o.Type == jsondiff.OperationTest })
	for i, o := range forward {
		if list, last := strings.CutSuffix(o.Path, "/-"); last && o.Type == jsondiff.OperationRemove { // added as the last one of a list
			forward[i].Path = list + "/-1"
		}
	}
	return forward, nil
}

// ofValues reports whether the update set any value: the server notes who did.
func (p inverse) ofValues() bool {
	return slices.ContainsFunc(p, func(o jsondiff.Operation) bool { return o.Type == jsondiff.OperationTest })
}

// onlyOf returns the operations for the one object that has this UID, whatever has its name.
func (p inverse) onlyOf(uid types.UID) ([]byte, error) {
	test := jsondiff.Operation{Type: jsondiff.OperationTest, Path: "/metadata/uid", Value: string(uid)}
	return json.Marshal(append(jsondiff.Patch{test}, p...))
}

func patched(document []byte, operations jsondiff.Patch) ([]byte, error) {
	encoded, err := json.Marshal(operations)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.DecodePatch(encoded)
	if err != nil {
		return nil, err
	}
	return patch.Apply(document)
}
