package kubetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Mirror returns the folder with the real Kubeflow archives: $KUBEFLOW_MIRROR, or shared/mirror beside the module. Without it, and with
// -short, the test is skipped, but where CI is set a missing archive fails it.
func Mirror(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the real Kubeflow archives take longer than -short allows")
	}
	folder := os.Getenv("KUBEFLOW_MIRROR")
	if folder == "" {
		folder = filepath.Join(moduleRoot(t), "..", "shared", "mirror")
	}
	if _, err := os.Stat(filepath.Join(folder, "github.com", "kubeflow")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the real Kubeflow archives are not there: %v", err)
		}
		t.Skipf("the real Kubeflow archives are not there (set KUBEFLOW_MIRROR): %v", err)
	}
	return folder
}

// moduleRoot returns the folder of go.mod, above the test's package.
func moduleRoot(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		above := filepath.Dir(folder)
		if above == folder {
			t.Fatal("no go.mod above the test's package")
		}
		folder = above
	}
}
