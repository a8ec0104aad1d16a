package plan

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

func TestFieldsOfEarlierAppliersAreMovedAndNoOthers(t *testing.T) {
	const apply, update = metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate
	entry := func(manager string, operation metav1.ManagedFieldsOperationType, version, field string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, APIVersion: version, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:` + field + `":{}}}`)}
	}
	for _, c := range []struct {
		name         string
		before       []metav1.ManagedFieldsEntry
		owned, stays []string
	}{
		{"both applies of one kubectl",
			[]metav1.ManagedFieldsEntry{entry("kubectl", apply, "v1", "a"), entry("kubectl", update, "v1", "b")}, []string{".spec.a", ".spec.b"}, nil},
		{"an applier's beside those this program has already",
			[]metav1.ManagedFieldsEntry{entry(inventory.Manager, apply, "v1", "a"), entry("kfctl", update, "v1", "b")}, []string{".spec.a", ".spec.b"}, nil},
		{"an applier's that only wrote an older version",
			[]metav1.ManagedFieldsEntry{entry("kfctl", update, "v1alpha3", "a")}, []string{".spec.a"}, nil},
		{"the newest of two versions",
			[]metav1.ManagedFieldsEntry{entry("kfctl", update, "v1alpha3", "a"), entry("kubectl-client-side-apply", update, "v1", "b")}, []string{".spec.b"}, nil},
		{"not what was edited, or what a controller set",
			[]metav1.ManagedFieldsEntry{entry("kubectl-create", update, "v1", "a"), entry("kubectl-edit", update, "v1", "b"), entry("istiod", apply, "v1", "c")}, []string{".spec.a"}, []string{"istiod", "kubectl-edit"}},
		{"nothing", []metav1.ManagedFieldsEntry{entry("kubectl-edit", update, "v1", "a")}, nil, []string{"kubectl-edit"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &unstructured.Unstructured{Object: map[string]any{}}
			o.SetManagedFields(c.before)
			found, err := transferFields(o)
			if err != nil || found != (c.owned != nil) {
				t.Fatalf("found %v, %v", found, err)
			}
			var owned, others []string
			for _, entry := range o.GetManagedFields() {
				if !AppliedByInstall(entry) {
					others = append(others, entry.Manager)
					continue
				}
				set, err := fieldsOf(entry)
				if err != nil {
					t.Fatal(err)
				}
				for path := range set.All() {
					owned = append(owned, path.String())
				}
			}
			slices.Sort(owned)
			slices.Sort(others)
			if !slices.Equal(owned, c.owned) || !slices.Equal(others, c.stays) {
				t.Errorf("this program owns %v and others have %v, want %v and %v", owned, others, c.owned, c.stays)
			}
		})
	}
}
