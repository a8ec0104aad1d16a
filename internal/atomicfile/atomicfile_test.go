//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestNothingIsWrittenOrRemovedThroughALink(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"file": victim, "folder": outside, "up": ".."} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	for _, name := range []string{"folder/victim", "folder/new", "up/new", "../new", victim} {
		if err := Write(root, name, []byte("planted"), Plain); err == nil {
			t.Errorf("%s was written", name)
		}
		if err := Remove(root, name); err == nil {
			t.Errorf("%s was removed", name)
		}
	}
	if err := Write(root, "file", []byte("planted"), Plain); err != nil {
		t.Errorf("a link is replaced: %v", err)
	}
	left, err := os.ReadDir(outside)
	content, _ := os.ReadFile(victim)
	if err != nil || len(left) != 1 || string(content) != "mine" {
		t.Errorf("outside are %v with %q, %v", left, content, err)
	}
}

func TestTheUmaskHolds(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	folder := t.TempDir()
	for name, c := range map[string]struct{ mode, want os.FileMode }{"plain": {Plain, 0o640}, "secret": {Secret, 0o600}, "program": {Program, 0o750}} {
		if err := Into(folder, "a/"+name, []byte("x"), c.mode); err != nil {
			t.Fatal(err)
		}
		if stat, err := os.Stat(filepath.Join(folder, "a", name)); err != nil || stat.Mode().Perm() != c.want {
			t.Errorf("%s is %v, %v", name, stat.Mode(), err)
		}
	}
	if stat, err := os.Stat(filepath.Join(folder, "a")); err != nil || stat.Mode().Perm() != 0o750 {
		t.Errorf("the folder is %v, %v", stat.Mode(), err)
	}
}
