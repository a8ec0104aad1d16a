package kustomization

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

func TestAnArchiveCannotReadTheDisk(t *testing.T) {
	disk := t.TempDir()
	secret := filepath.Join(disk, "secret.yaml")
	if err := os.WriteFile(secret, []byte(configMap("secret")), 0o600); err != nil {
		t.Fatal(err)
	}
	climb := strings.Repeat("../", 12) + strings.TrimPrefix(filepath.ToSlash(secret), "/")
	for name, content := range map[string]string{
		"a resource":        "resources: ['" + climb + "']\n",
		"a generator":       "configMapGenerator: [{name: x, files: [k=" + climb + "]}]\n",
		"an absolute path":  "resources: ['" + secret + "']\n",
		"an env file":       "secretGenerator: [{name: x, envs: ['" + climb + "']}]\n",
		"a patch":           "resources: [cm.yaml]\npatches: [{path: " + climb + ", target: {kind: ConfigMap}}]\n",
		"a folder":          "resources: ['" + strings.Repeat("../", 12) + strings.TrimPrefix(filepath.ToSlash(disk), "/") + "']\n",
		"a transformer":     "transformers: ['" + climb + "']\n",
		"an open API file":  "resources: [cm.yaml]\nopenapi: {path: " + climb + "}\n",
		"a configuration":   "resources: [cm.yaml]\nconfigurations: ['" + climb + "']\n",
		"a list of objects": "crds: ['" + climb + "']\nresources: [cm.yaml]\n",
	} {
		files := map[string]string{"app/kustomization.yaml": content, "app/cm.yaml": configMap("x")}
		tree := &Tree{Sealed: true}
		if _, err := tree.Build(t.Context(), tree.Mount("a", archived(files))+"/app"); err == nil {
			t.Errorf("%s was read from the disk", name)
		}
		mine := filepath.Join(t.TempDir(), "kustomization.yaml")
		if err := os.WriteFile(mine, []byte("resources: ['https://github.com/o/r//app?ref=v1']\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		tree = &Tree{Fetch: func(Remote) (*archive.Archive, error) { return archived(files), nil }}
		if _, err := tree.Build(t.Context(), filepath.Dir(mine)); err == nil {
			t.Errorf("%s was read from the disk, for a kustomization on it", name)
		}
	}
}
