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
	entry := func(manager string, operation metav1.ManagedFieldsOperationType, version, field string) ManagedFields {
		return ManagedFields{Manager: manager, Operation: operation, APIVersion: version, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:` + field + `":{}}}`)}
	}
	for _, c := range []struct {
		name         string
		before       []ManagedFields
		owned, stays []string
	}{
		{"both applies of one kubectl",
			[]ManagedFields{entry("kubectl", apply, "v1", "a"), entry("kubectl", update, "v1", "b")}, []string{".spec.a", ".spec.b"}, nil},
		{"an applier's beside those this program has already",
			[]ManagedFields{entry(inventory.Manager, apply, "v1", "a"), entry("kfctl", update, "v1", "b")}, []string{".spec.a", ".spec.b"}, nil},
		{"an applier's that only wrote an older version",
			[]ManagedFields{entry("kfctl", update, "v1alpha3", "a")}, []string{".spec.a"}, nil},
		{"the newest of two versions",
			[]ManagedFields{entry("kfctl", update, "v1alpha3", "a"), entry("kubectl-client-side-apply", update, "v1", "b")}, []string{".spec.b"}, nil},
		{"not what was edited, or what a controller set",
			[]ManagedFields{entry("kubectl-create", update, "v1", "a"), entry("kubectl-edit", update, "v1", "b"), entry("istiod", apply, "v1", "c")}, []string{".spec.a"}, []string{"istiod", "kubectl-edit"}},
		{"nothing", []ManagedFields{entry("kubectl-edit", update, "v1", "a")}, nil, []string{"kubectl-edit"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &unstructured.Unstructured{Object: map[string]any{}}
			o.SetManagedFields(c.before)
			found, err := takenOver(o)
			if err != nil || found != (c.owned != nil) {
				t.Fatalf("found %v, %v", found, err)
			}
			var owned, others []string
			for _, entry := range o.GetManagedFields() {
				if !ThisProgram(entry) {
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
