//go:build unix

package appdir

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// TestABuildWritesAndDeletesNothingOutsideItsDirectory replaces each part of a directory that was built with a link out of it.
func TestABuildWritesAndDeletesNothingOutsideItsDirectory(t *testing.T) {
	source, _ := built(t, filepath.Join(t.TempDir(), "d"), mini)
	for _, part := range []string{"rendered", "kustomize", "kustomize/argo", "kustomize/argo/base", "kustomize/argo/base/resources.yaml", "kustomize/argo/kustomization.yaml",
		"kubeflow.yaml", "kubeflow.lock", "rendered/argo.yaml", "kustomize/argo/base.changed"} {
		dir := filepath.Join(t.TempDir(), "d")
		if err := os.CopyFS(dir, os.DirFS(source.Path)); err != nil {
			t.Fatal(err)
		}
		outside := t.TempDir()
		for name, content := range map[string]string{"argo.yaml": "mine", "gone.yaml": "mine", "kustomization.yaml": "mine", "resources.yaml": "mine", "base/resources.yaml": "mine", "argo/base/x": "mine"} {
			name = filepath.Join(outside, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		target := outside
		if filepath.Ext(part) == ".yaml" || filepath.Ext(part) == ".lock" {
			target = filepath.Join(outside, "argo.yaml")
		}
		place := filepath.Join(dir, part)
		if err := os.RemoveAll(place); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, place); err != nil {
			t.Fatal(err)
		}
		before := listing(t, outside)
		if d, err := Open(dir); err == nil {
			_, err = Build(t.Context(), d, Request{Want: Config{Build: Source{Release: "mini"}}, Options: release.RenderOptions{CacheDir: t.TempDir()}})
			if err == nil {
				_ = d.Save() // may be refused
			}
		}
		if after := listing(t, outside); after != before {
			t.Errorf("%s leads out, and was followed:\n%s\n%s", part, before, after)
		}
	}
}

func listing(t *testing.T, folder string) (out string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			content, _ := os.ReadFile(name)
			out += name + "=" + string(content) + "\n"
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheUmaskHoldsInADirectory(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	d, _ := built(t, filepath.Join(t.TempDir(), "d"), mini)
	err := filepath.WalkDir(d.Path, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestASecretIsRecognisedHoweverItIsWritten(t *testing.T) {
	for _, content := range []string{"kind: Secret\n", "a: b\nkind: Secret", "kind: \"Secret\"", "{\"kind\":\"Secret\"}", "items:\n- kind:   Secret\n", "{kind: 'Secret'}"} {
		if !holdsSecret.MatchString(content) {
			t.Errorf("%q is not", content)
		}
	}
	if holdsSecret.MatchString("kind: SecretStore\n") {
		t.Error("a SecretStore is")
	}
}
