package status

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// managed returns a Deployment with these fields of these managers: "manager fields", or "manager/subresource fields".
func managed(replicas int64, entries ...string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": "kubeflow", "name": "a"}, "spec": map[string]any{"replicas": replicas},
	}}
	var fields []metav1.ManagedFieldsEntry
	for _, e := range entries {
		name, set, _ := strings.Cut(e, " ")
		name, sub, _ := strings.Cut(name, "/")
		entry := metav1.ManagedFieldsEntry{Manager: name, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "apps/v1", Subresource: sub, FieldsV1: metav1.NewFieldsV1(set)}
		if name == inventory.Manager {
			entry.Operation = metav1.ManagedFieldsOperationApply
		}
		fields = append(fields, entry)
	}
	o.SetManagedFields(fields)
	return o
}

func TestDriftIsWhatOthersChangedOfTheInstalledFields(t *testing.T) {
	const (
		all      = `{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`
		replicas = `{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`
		image    = `{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:name":{}}}}}}}`
		label    = `{"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`
		setImage = `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{"f:image":{}}}}}}}`
		setScale = `{"f:spec":{"f:replicas":{}}}`
		added    = `{"f:metadata":{"f:annotations":{"f:note":{}}}}`
	)
	me := inventory.Manager
	installed := managed(3, me+" "+all)
	whole := inventory.Entry{Ref: cluster.RefOf(installed), Applied: "x", Replicas: 3, Fields: plan.OwnedFieldsHash(installed), Owned: plan.OwnedFields(installed)}
	older := whole
	older.Replicas, older.Owned = 0, ""
	for _, c := range []struct {
		name string
		live *unstructured.Unstructured
		e    inventory.Entry
		want []string
	}{
		{"nothing was changed", installed, whole, nil},
		{"a field was added", managed(3, me+" "+all, "kubectl-annotate "+added), whole, nil},
		{"it was scaled up", managed(5, me+" "+replicas, "kubectl/scale "+setScale), whole, nil},
		{"it was scaled down", managed(1, me+" "+replicas, "kubectl/scale "+setScale), whole, []string{"spec.replicas: 1 of 3 installed"}},
		{"another image", managed(3, me+" "+image, "kubectl-set "+setImage), whole, []string{`spec.template.spec.containers[name="main"].image: set by kubectl-set`}},
		{"a fix of doctor", managed(3, me+" "+image, me+"-doctor "+setImage), whole, nil},
		{"a label was removed", managed(3, me+" "+label), whole, []string{"metadata.labels.app: removed"}},
		{"a bundle", managed(3), whole, nil},
		{"an older record, unchanged", installed, older, nil},
		{"an object that no install has applied", managed(3, "kubectl-edit "+all), inventory.Entry{Ref: whole.Ref}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, driftOf(c.e, c.live)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
