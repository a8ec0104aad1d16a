package archive

import (
	"archive/tar"
	"errors"
	"path"
	"strings"
	"testing"
)

// FuzzUnpack unpacks any bytes: accepted content stays inside the archive and the limits, and is a valid tree.
func FuzzUnpack(f *testing.F) {
	t := &testing.T{}
	for _, entries := range [][]tar.Header{
		{file("top/a", "a"), file("top/b/c", "c"), link("top/l", "b/c")},
		{file("top/a", "a"), file("top/../../x", "x")},
		{file("a", "a"), link("l", ".."), link("m", "l/x")},
		{file("top/f", "x"), file("top/f/g", "x")},
		{file("top/a", "a"), {Name: "top/d", Typeflag: tar.TypeDir}, {Name: "top/h", Linkname: "a", Typeflag: tar.TypeLink}},
		{file(strings.Repeat("long/", 60)+"a", strings.Repeat("x", 2000))},
	} {
		f.Add(packed(t, entries...))
	}
	f.Add([]byte("kind: X"))
	f.Add([]byte("PK\x03\x04"))
	limits := Limits{Download: 1 << 20, Total: 1 << 20, File: 1 << 18, Entries: 100, Ratio: 1000}
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := Unpack("x.yaml", content, limits)
		var bad *BadArchiveError
		if err != nil {
			if !errors.As(err, &bad) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("the error is not one sentence: %v", err)
			}
			return
		}
		if a.Single == "" {
			checkTree(t, a, limits)
		}
		if _, err := a.Hash(); err != nil {
			t.Fatalf("it cannot be hashed: %v", err)
		}
	})
}

func checkTree(t *testing.T, a *Archive, limits Limits) {
	t.Helper()
	var total int64
	names := map[string]bool{}
	for name, content := range a.Files {
		names[name] = true
		if total += int64(len(content)); int64(len(content)) > limits.File {
			t.Fatalf("%q has %d bytes", name, len(content))
		}
	}
	for name, target := range a.Links {
		if names[name] = true; !within(target) {
			t.Fatalf("the link %q leads to %q", name, target)
		}
	}
	for name := range names {
		if !within(name) || name == "." || strings.ContainsAny(name, "\\\x00\n\x1b") {
			t.Fatalf("the name %q leads outside", name)
		}
		for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
			if names[folder] {
				t.Fatalf("%q is below %q, which is not a folder", name, folder)
			}
		}
	}
	if total > limits.Total || len(names) > limits.Entries {
		t.Fatalf("%d names with %d bytes", len(names), total)
	}
}

func within(name string) bool {
	return path.Clean(name) == name && !path.IsAbs(name) && name != ".." && !strings.HasPrefix(name, "../")
}
