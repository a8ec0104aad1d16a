package inventory

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

const namespaces = `
{apiVersion: v1, kind: Namespace, metadata: {name: kubectl-kubeflow, labels: {app.kubernetes.io/managed-by: kubectl-kubeflow}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kubeflow}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {app.kubernetes.io/part-of: kubeflow-profile}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: ours, namespace: kubeflow, managedFields: [{manager: kubectl-kubeflow, operation: Apply}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: foreign, namespace: kubeflow, managedFields: [{manager: kubectl, operation: Apply}]}}
`

// old returns a record of an older version in a namespace, which lists one object.
func old(namespace, name, object string) *unstructured.Unstructured {
	o := record(`[{"apiVersion":"v1","kind":"ConfigMap","namespace":"kubeflow","name":"` + object + `","component":"c","applied":"hash","fields":"hash","found":true}]`)
	o.SetAPIVersion("v1")
	o.SetKind("ConfigMap")
	o.SetNamespace(namespace)
	o.SetName(namePrefix + name)
	o.SetLabels(map[string]string{ManagedByLabel: Manager, partLabel: inventoryLabel, nameLabel: name})
	return o
}

// Records of older versions lay where others can write: what is believed of them is little, and only until one is taken over.
func TestOldRecordsAreDoubted(t *testing.T) {
	many := []*unstructured.Unstructured{}
	for i := range maxOld + 2 {
		many = append(many, old("kubeflow", fmt.Sprint("many-", i), "ours"))
	}
	moved := marker(nil)
	for name, c := range map[string]struct {
		records  []*unstructured.Unstructured
		accepted int
		why      string
	}{
		"one that lists an object of ours":    {[]*unstructured.Unstructured{old("kubeflow", "a", "ours")}, 1, ""},
		"one that lists foreign objects":      {[]*unstructured.Unstructured{old("kubeflow", "a", "foreign")}, 0, "installed none of the objects"},
		"one in a profile namespace":          {[]*unstructured.Unstructured{old("team", "a", "ours")}, 0, "others can write"},
		"two of one name":                     {[]*unstructured.Unstructured{old("kubeflow", "a", "ours"), old("other", "a", "ours")}, 1, "another record has the name"},
		"more than there may be":              {many, maxOld, "more than 8 records"},
		"one that comes after the take-over":  {[]*unstructured.Unstructured{moved, old("kubeflow", "a", "ours")}, 0, "inventories are in namespace kubectl-kubeflow"},
		"one whose label is of another's":     {[]*unstructured.Unstructured{renamed(old("kubeflow", "a", "ours"))}, 0, "not that of its name"},
		"one where others keep theirs, aside": {[]*unstructured.Unstructured{old("kubectl-kubeflow", "a", "ours"), old("team", "b", "ours")}, 1, "inventories are in namespace"},
	} {
		view := cluster.Objects("a test", nil, append(kubetest.Objects(t, []byte(namespaces+"---\n{apiVersion: v1, kind: Namespace, metadata: {name: other}}")), c.records...)...)
		records, err := Read(t.Context(), view)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := fmt.Sprint(records.Doubtful); len(records.Installed) != c.accepted || !strings.Contains(got, c.why) || (c.why == "") != (len(records.Doubtful) == 0) {
			t.Errorf("%s: %d are accepted, want %d; %s", name, len(records.Installed), c.accepted, got)
		}
		for _, v := range records.Installed {
			for _, e := range v.Objects {
				if v.Old != nil && (e.Applied != "" || e.Fields != "" || e.Owned != "" || e.Component != "c" || !e.PreExisting) {
					t.Errorf("%s: %+v is believed of an old record", name, e)
				}
			}
		}
	}
}

func renamed(o *unstructured.Unstructured) *unstructured.Unstructured {
	o.SetName(namePrefix + "b")
	return o
}
