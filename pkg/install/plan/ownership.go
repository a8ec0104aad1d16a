package plan

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// AppliedByInstall reports whether an entry holds the fields that an install applied.
func AppliedByInstall(entry metav1.ManagedFieldsEntry) bool {
	return entry.Manager == inventory.Manager && entry.Operation == metav1.ManagedFieldsOperationApply
}

// ManagedByInstall reports whether an install has written an object.
func ManagedByInstall(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool { return entry.Manager == inventory.Manager })
}

// PreExisting reports whether a namespace was not created by this program or by kfctl: a client that creates one without
// server-side apply owns the label kubernetes.io/metadata.name, which the server sets.
func PreExisting(namespace *unstructured.Unstructured) bool {
	return slices.ContainsFunc(namespace.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		if f.FieldsV1 == nil || inventory.OfProgram(f) || strings.HasPrefix(f.Manager, "kfctl") || f.Manager == "before-first-apply" {
			return false
		}
		_, found, _ := unstructured.NestedFieldNoCopy(inventory.DecodeFields(f.FieldsV1.GetRawBytes()), "f:metadata", "f:labels", "f:kubernetes.io/metadata.name")
		return found
	})
}
