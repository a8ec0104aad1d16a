package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kubectl-kubeflow/kubectl-kubeflow/"

// mayImport says which of our packages each one may import, besides internal/kube and internal/text, which all may. Arrows
// go down; what is not listed may import no other of ours.
var mayImport = map[string][]string{
	"cmd/kubectl-kubeflow": {"internal/ui", "pkg/kubeflow", "pkg/doctor/checks", "pkg/doctor", "pkg/install", "pkg/expose", "pkg/bundle", "pkg/release", "pkg/dashboard", "pkg/cluster"},
	"internal/ui":          {"pkg/kubeflow", "pkg/doctor", "pkg/install", "pkg/expose", "pkg/dashboard", "pkg/cluster"},
	"pkg/kubeflow":         {"pkg/doctor/checks", "pkg/doctor", "pkg/install", "pkg/expose", "pkg/bundle", "pkg/release", "pkg/dashboard", "pkg/cluster"},
	"pkg/doctor/checks":    {"pkg/doctor", "pkg/release", "pkg/dashboard", "pkg/cluster"},
	"pkg/doctor":           {"pkg/release", "pkg/cluster"},
	"pkg/install":          {"pkg/release", "pkg/cluster"},
	"pkg/expose":           {"pkg/dashboard", "pkg/cluster"},
	"pkg/dashboard":        {"pkg/cluster"},
	"pkg/bundle":           {"pkg/cluster"},
	"internal/kube":        {},
	"internal/text":        {},
}

// belongs says where a thing goes instead, by the package that was imported against the arrows.
var belongs = map[string]string{
	"internal/ui":          "How results look is cmd's to choose: return a value and let cmd hand it to internal/ui.",
	"cmd/kubectl-kubeflow": "Nothing imports cmd: move what is shared down into pkg.",
	"pkg/install":          "install, doctor and expose do not know each other: join them in pkg/kubeflow, or move what both need into pkg/cluster or pkg/release.",
	"pkg/doctor":           "install, doctor and expose do not know each other: join them in pkg/kubeflow, or move what both need into pkg/cluster or pkg/release.",
	"pkg/expose":           "install, doctor and expose do not know each other: join them in pkg/kubeflow, or move what both need into pkg/cluster or pkg/release.",
	"pkg/dashboard":        "pkg/cluster and below know no Kubeflow: read the model in what uses it.",
	"pkg/doctor/checks":    "Only pkg/kubeflow and cmd know the list of checks: take the checks as an argument.",
	"pkg/kubeflow":         "The use cases are for cmd and for other programs: move what is shared down into the package that it is about.",
}

func TestImportsGoDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "../../...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		from := ours(paths[0])
		for _, path := range paths[1:] {
			to := ours(path)
			if from != "" && to != "" && !allowed(from, to) {
				t.Errorf("%s imports %s. %s", from, to, belongs[area(to)])
			}
		}
	}
}

func TestOnlyCmdKnowsTheTerminal(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "../../pkg/...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		for _, path := range paths[1:] {
			if path == "github.com/spf13/cobra" || path == "golang.org/x/term" || path == "github.com/olekukonko/tablewriter" {
				t.Errorf("%s imports %s. Flags are cmd's and drawing is internal/ui's: take options, return values.", ours(paths[0]), path)
			}
		}
	}
}

// ours returns a package's folder in this module, or "" for another module's.
func ours(path string) string {
	folder, ok := strings.CutPrefix(path, module)
	if !ok || strings.HasPrefix(folder, "internal/sandboxtest") || strings.HasPrefix(folder, "bench") {
		return ""
	}
	return folder
}

// area returns the entry of mayImport that a package belongs to: itself, or the closest folder above it.
func area(pkg string) string {
	for ; pkg != ""; pkg = pkg[:max(strings.LastIndex(pkg, "/"), 0)] {
		if _, ok := mayImport[pkg]; ok {
			return pkg
		}
		if pkg == "pkg/release" || pkg == "pkg/cluster" {
			return pkg
		}
	}
	return ""
}

func allowed(from, to string) bool {
	if to == "internal/text" {
		return true
	}
	if to == "internal/kube" {
		return from != "internal/text"
	}
	return area(from) == area(to) || slices.Contains(mayImport[area(from)], area(to))
}
