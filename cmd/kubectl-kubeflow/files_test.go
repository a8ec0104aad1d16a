package main

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// raw are the functions that read without a limit, or that write or remove files through links.
var raw = map[string][]string{
	"os":       {"ReadFile", "Open", "OpenFile", "Create", "CreateTemp", "WriteFile", "Rename", "Remove", "RemoveAll", "MkdirTemp", "DirFS", "Chmod", "Link", "Symlink", "CopyFS", "ReadDir"},
	"io":       {"ReadAll"},
	"filepath": {"Walk", "WalkDir", "Glob"},
	"ioutil":   {"ReadAll", "ReadFile", "WriteFile", "ReadDir", "TempDir", "TempFile"},
}

// mayBeRaw are the files that need one of these functions, and why.
var mayBeRaw = map[string]string{
	"internal/cli/install/upgrade.go":    "a new file of the user's: with O_EXCL no link is followed",
	"internal/bounded/":                  "it has the limits",
	"internal/atomicfile/":               "it writes inside a folder",
	"internal/cli/bundle/bundle.go":      "a stream goes into a new file of the user's, which is renamed when it is complete",
	"pkg/install/lock/identity.go":       "a file of the kernel with a fixed name",
	"pkg/lock/identity.go":               "a file of the kernel with a fixed name",
	"pkg/release/kustomization/quiet.go": "the null device",
}

// TestFilesAreReadAndWrittenInOnePlace finds readers without a limit and writers that follow links.
func TestFilesAreReadAndWrittenInOnePlace(t *testing.T) {
	files := sources(t)
	for name, file := range files.all {
		if slices.ContainsFunc(keys(mayBeRaw), func(allowed string) bool { return strings.HasPrefix(name, allowed) }) {
			continue
		}
		ast.Inspect(file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := selector.X.(*ast.Ident)
			if ok && from.Obj == nil && slices.Contains(raw[from.Name], selector.Sel.Name) {
				t.Errorf("%s: %s.%s has no limit, or follows links: use internal/bounded to read and internal/atomicfile to write", files.set.Position(node.Pos()), from.Name, selector.Sel.Name)
			}
			return true
		})
	}
}

func keys(m map[string]string) (out []string) {
	for key := range m {
		out = append(out, key)
	}
	return out
}
