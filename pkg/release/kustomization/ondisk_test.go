package kustomization

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// kustomize checks itself where a file is. This reader does not rely on it: a file may have become a link since.
func TestAKustomizationOnDiskReadsInItsFoldersAlone(t *testing.T) {
	folder, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	for name, content := range map[string]string{outside: "secret", filepath.Join(folder, "kustomization.yaml"): "resources: [a.yaml]", filepath.Join(folder, "a.yaml"): "a: b"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(folder, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	tree := &Tree{}
	if _, err := tree.readDisk(filepath.Join(folder, "a.yaml")); !errors.Is(err, ErrOutside) {
		t.Errorf("a file is read before its kustomization: %v", err)
	}
	for name, want := range map[string]string{"kustomization.yaml": "resources: [a.yaml]", "a.yaml": "a: b"} {
		if _, err := tree.readDisk(filepath.Join(folder, "kustomization.yaml")); err != nil {
			t.Fatal(err)
		}
		if content, err := tree.readDisk(filepath.Join(folder, name)); err != nil || string(content) != want {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
	for name, file := range map[string]string{"outside": outside, "a link outside": filepath.Join(folder, "link.yaml"), "a device": "/dev/zero"} {
		if content, err := tree.readDisk(file); err == nil {
			t.Errorf("%s is read: %q", name, content)
		}
	}
}
