package inventory

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Ours reports whether a command of this program has written a live object: an install, or doctor or expose, whose field managers
// have a suffix. An install that takes over objects of others becomes the manager of their fields. Nothing else makes an object one
// that an uninstall may delete, whatever a record says. Whoever can write an object can also make it look like ours; they could
// delete it themselves.
func Ours(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(o.GetManagedFields(), OfProgram)
}

// OfProgram reports whether an entry of managedFields is of a command of this program.
func OfProgram(entry metav1.ManagedFieldsEntry) bool {
	return entry.Manager == Manager || strings.HasPrefix(entry.Manager, Manager+"-")
}
