package plan

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
)

// crd returns a CRD with versions, the storage version marked by "*", and the stored versions after "|".
func crd(t *testing.T, conversion, versions string) *unstructured.Unstructured {
	t.Helper()
	versions, stored, _ := strings.Cut(versions, "|")
	text := "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {conversion: {strategy: " + conversion + "}, versions: ["
	for _, name := range strings.Fields(versions) {
		text += fmt.Sprintf("{name: %s, served: true, storage: %v},", strings.TrimSuffix(name, "*"), strings.HasSuffix(name, "*"))
	}
	text += "]}, status: {storedVersions: [" + strings.Join(strings.Fields(stored), ", ") + "]}}"
	return kubetest.Objects(t, []byte(text))[0]
}

func TestACRDIsMigratedOnlyWhenAStoredVersionOrTheConversionGoes(t *testing.T) {
	for _, c := range []struct{ name, live, want, liveConversion, wantConversion, result string }{
		{"the same versions", "v1alpha1 v1*|v1", "v1alpha1 v1*", "None", "None", "<nil>"},
		{"a served version goes that nothing is stored in", "v1alpha1 v1*|v1", "v1*", "None", "None", "<nil>"},
		{"a stored version goes", "v1alpha1* v1|v1alpha1", "v1*", "None", "None", "&{[v1alpha1] v1 false }"},
		{"a version goes that was once stored", "v1alpha1 v1*|v1alpha1 v1", "v1*", "None", "None", "&{[v1alpha1] v1 false }"},
		{"the wanted storage version is new", "v1alpha1* v1beta1|v1alpha1", "v1beta1 v1*", "None", "None", "&{[v1alpha1] v1beta1 false }"},
		{"no version stays", "v1alpha1*|v1alpha1", "v1*", "None", "None", "&{[v1alpha1]  false objects may be stored as v1alpha1, and the installed CRD has no version that the new one has (v1)}"},
		{"the conversion goes", "v1*|v1", "v1*", "Webhook", "None", "&{[]  true }"},
		{"the conversion comes", "v1*|v1", "v1*", "None", "Webhook", "<nil>"},
		{"both go", "v1alpha1 v1*|v1alpha1 v1", "v1*", "Webhook", "None", "&{[v1alpha1] v1 true }"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fmt.Sprint(MigrationOf(crd(t, c.liveConversion, c.live), crd(t, c.wantConversion, c.want))); got != c.result {
				t.Errorf("got %s, want %s", got, c.result)
			}
		})
	}
}
