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

// ofObjects are the packages that parse what objects hold: configurations in ConfigMaps, annotations.
var ofObjects = []string{"pkg/doctor/", "pkg/dashboard/", "pkg/verify/", "pkg/expose/", "pkg/signin/", "pkg/install/", "pkg/kubeflow/", "internal/cli/"}

// TestTextsOfObjectsAreParsedInOnePlace finds YAML in objects that is parsed without a limit: a text of a megabyte may stand for more values
// than there is memory.
func TestTextsOfObjectsAreParsedInOnePlace(t *testing.T) {
	files := sources(t)
	for name, file := range files.all {
		if name == "pkg/doctor/checks/yamledit/edit.go" || !slices.ContainsFunc(ofObjects, func(folder string) bool { return strings.HasPrefix(name, folder) }) {
			continue
		}
		ast.Inspect(file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := selector.X.(*ast.Ident); ok && from.Obj == nil && strings.HasSuffix(from.Name, "yaml") && strings.HasPrefix(selector.Sel.Name, "Unmarshal") {
				t.Errorf("%s: %s.%s has no limit: use bounded.Unmarshal, or yamledit.Parse for its nodes", files.set.Position(node.Pos()), from.Name, selector.Sel.Name)
			}
			return true
		})
	}
}

// logReaders are the files that read the logs of containers, and what they do with them.
var logReaders = map[string]string{
	"pkg/cluster/":                           "the views",
	"pkg/bundle/":                            "redact.Text, when it is written",
	"pkg/doctor/asked.go":                    "a view",
	"pkg/doctor/checks/workloads/crashes.go": "redact.Log",
	"pkg/kubeflow/component/logs.go":         "redact.Log",
	"pkg/verify/pods.go":                     "redact.Log",
	"internal/cli/component/logs.go":         "what pkg/kubeflow/component returns",
}

// TestLogsAreReadInOnePlace finds readers of logs that may quote them as they are.
func TestLogsAreReadInOnePlace(t *testing.T) {
	files := sources(t)
	for name, file := range files.all {
		if slices.ContainsFunc(keys(logReaders), func(allowed string) bool { return strings.HasPrefix(name, allowed) }) {
			continue
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			if selector, ok := call.Fun.(*ast.SelectorExpr); ok && (selector.Sel.Name == "Logs" || selector.Sel.Name == "GetLogs") {
				t.Errorf("%s reads a log: mask it with redact.Log, and add the file to this list", files.set.Position(node.Pos()))
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
