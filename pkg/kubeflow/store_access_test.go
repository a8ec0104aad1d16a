package kubeflow

import (
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Only pods reach the object store, so its default key is no reason to refuse a public address.
func TestTheKeyOfTheObjectStoreDoesNotKeepTheDashboardPrivate(t *testing.T) {
	for file, refused := range map[string]bool{"store-seaweedfs": false, "of-26.03": true} {
		a, err := txtar.ParseFile("../doctor/checks/auth/testdata/secrets/" + file + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name != "cluster.yaml" {
				continue
			}
			unsafe, err := defaultCredentials(t.Context(), cluster.Saved(file, cluster.Memory{}, kubetest.Objects(t, f.Data)...))
			if err != nil || (unsafe != nil) != refused {
				t.Errorf("%s: %v, %v", file, unsafe, err)
			}
		}
	}
}
