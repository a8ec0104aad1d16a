package inventory

import (
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func TestOwnedFieldsAreReadAsTheyWereWritten(t *testing.T) {
	entry := func(name, owned string) Entry {
		return Entry{Ref: cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: "n", Name: name}, Owned: owned}
	}
	v := &Inventory{Name: "a", Release: "26.03", Objects: []Entry{entry("a", `{"f:spec":{"f:type":{}}}`), entry("b", ""), entry("c", `{"f:metadata":{}}`)}}
	stored, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := decode(stored)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range again.Objects {
		if e != v.Objects[i] {
			t.Errorf("%+v is read as %+v", v.Objects[i], e)
		}
	}
	owned := kube.Text(stored.Object, "data", ownedKey)
	for name, bad := range map[string]string{"no base64": "!", "no gzip": "aGVsbG8=", "cut": owned[:len(owned)/2]} {
		o := stored.DeepCopy()
		o.Object["data"].(map[string]any)[ownedKey] = bad
		if _, err := decode(o); err == nil || !strings.Contains(err.Error(), ownedKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fewer := stored.DeepCopy()
	fewer.Object["data"].(map[string]any)[objectsKey] = "[]"
	if _, err := decode(fewer); err == nil || !strings.Contains(err.Error(), "lists 0") {
		t.Errorf("an inventory of other objects: %v", err)
	}
}
