package fixes

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/wI2L/jsondiff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An inverse is the operations that undo an update: they test for what the update wrote first.
type inverse jsondiff.Patch

func decodeInverse(recorded json.RawMessage) (inverse, error) {
	if len(recorded) == 0 {
		return nil, nil
	}
	var p inverse
	if err := json.Unmarshal(recorded, &p); err != nil {
		return nil, errors.New("its inverse is not a JSON patch") // the error may quote its content
	}
	if len(p) > mostSteps {
		return nil, fmt.Errorf("its inverse has more than %d operations", mostSteps)
	}
	known := []string{jsondiff.OperationTest, jsondiff.OperationAdd, jsondiff.OperationRemove, jsondiff.OperationReplace}
	if slices.ContainsFunc(p, func(o jsondiff.Operation) bool { return !slices.Contains(known, o.Type) || o.From != "" }) {
		return nil, errors.New("its inverse has operations that no fix records")
	}
	return p, nil
}

// on returns an object with the update undone; nil if what the update wrote is not there any more, or if undoing it would lose a
// value that the inverse does not test for.
func (p inverse) on(now *unstructured.Unstructured) *unstructured.Unstructured {
	document, err := json.Marshal(now)
	if err != nil {
		return nil
	}
	for i, o := range p {
		if document = p.step(i, o, document); document == nil {
			return nil
		}
	}
	back := &unstructured.Unstructured{}
	if back.UnmarshalJSON(document) != nil || cluster.RefOf(back) != cluster.RefOf(now) {
		return nil
	}
	return back
}

// step makes one operation; nil if it does not apply, or loses what no test has named just before.
func (p inverse) step(i int, o jsondiff.Operation, document []byte) []byte {
	after, err := patched(document, jsondiff.Patch{o})
	if err != nil {
		return nil
	}
	switch o.Type {
	case jsondiff.OperationRemove, jsondiff.OperationReplace:
		if i == 0 || p[i-1].Type != jsondiff.OperationTest || p[i-1].Path != o.Path {
			return nil
		}
	case jsondiff.OperationAdd: // to a map, where it must not replace
		if strings.HasSuffix(o.Path, "/-") {
			break
		}
		again, err := patched(after, jsondiff.Patch{{Type: jsondiff.OperationRemove, Path: o.Path}})
		if err != nil || !jsonpatch.Equal(document, again) {
			return nil
		}
	}
	return after
}

// pointers returns what the inverse changes.
func (p inverse) pointers() []string {
	var all []string
	for _, o := range p {
		if o.Type != jsondiff.OperationTest {
			all = append(all, o.Path)
		}
	}
	return all
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
