package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kubectl-kubeflow/kubectl-kubeflow/"

// layers holds the folders of this module from top to bottom. A package imports packages of lower layers, and of its own
// folder; why says where else a thing belongs.
var layers = []struct {
	folders []string
	why     string
}{
	{[]string{"cmd/kubectl-kubeflow"}, "Nothing imports the program: move what is shared down."},
	{[]string{"internal/cli"}, "Commands are flags and a screen: what others need belongs in pkg/kubeflow."},
	{[]string{"internal/ui"}, "How results look is the commands' to choose: return a value, and let internal/cli draw it."},
	{[]string{"pkg/kubeflow"}, "Only the use cases know install, doctor and expose together: take what you need as an argument."},
	{[]string{"pkg/verify", "pkg/signin", "pkg/azure"}, "They use what the commands use, and nothing below knows them."},
	{[]string{"pkg/install", "pkg/doctor", "pkg/expose", "pkg/bundle"}, "install, doctor and expose do not know each other: join them in pkg/kubeflow, or move what both need below."},
	{[]string{"pkg/lock"}, "Whoever writes holds the Lease, which knows none of them."},
	{[]string{"pkg/state"}, "Where records are kept knows nothing of what they hold."},
	{[]string{"pkg/dashboard"}, "The model of the exposure knows the cluster alone."},
	{[]string{"pkg/release", "pkg/cluster"}, "Releases and the cluster do not know each other."},
	{[]string{"internal/admission", "internal/kube", "internal/text", "internal/redact", "internal/bounded", "internal/escape", "internal/atomicfile", "pkg/problem"}, "What any Kubernetes program needs knows nothing of this one."},
}

// inner holds the arrows that go down within a folder. A package that is not listed imports none of its folder.
var inner = map[string][]string{
	"pkg/install/uninstall":  {"pkg/install/apply", "pkg/install/plan", "pkg/lock", "pkg/install/inventory", "pkg/install/events"},
	"pkg/install/status":     {"pkg/install/apply", "pkg/install/plan", "pkg/install/explain", "pkg/install/inventory"},
	"pkg/install/apply":      {"pkg/install/plan", "pkg/install/explain", "pkg/lock", "pkg/install/inventory", "pkg/install/events"},
	"pkg/install/explain":    {"pkg/install/plan"},
	"pkg/install/backup":     {"pkg/install/inventory"},
	"pkg/install/preflight":  {"pkg/install/plan", "pkg/install/inventory"},
	"internal/ui/progress":   {"internal/ui"},
	"pkg/kubeflow/component": {"pkg/kubeflow"},
	"pkg/kubeflow/identity":  {"pkg/kubeflow"},
	"pkg/install/gitops":     {"pkg/install/plan"},
	"pkg/install/plan":       {"pkg/install/inventory"},
	"pkg/lock":               {"pkg/install/inventory"},

	"pkg/verify": {"pkg/verify/kfp"},

	"pkg/doctor/checks/auth":      {"pkg/doctor/checks/exposure", "pkg/doctor/checks/pipelines"},
	"pkg/doctor/checks/pipelines": {"pkg/doctor/checks/nodes"},
	"pkg/doctor/checks/platform":  {"pkg/doctor/checks/mesh"},
	"pkg/doctor/checks/pods":      {"pkg/doctor/checks/pipelines"},
	"pkg/doctor/checks/upgrades":  {"pkg/doctor/checks/exposure", "pkg/doctor/checks/mesh"},
}

// sharedByChecks holds what every area of checks may import.
var sharedByChecks = []string{"pkg/doctor", "pkg/doctor/checks/workloads", "pkg/doctor/checks/webhooks", "pkg/doctor/checks/yamledit"}

// most is how many files, tests apart, a package has before it is probably two.
const most = 25

func TestImportsGoDown(t *testing.T) {
	for _, p := range packages(t) {
		from := ours(p.ImportPath)
		for _, path := range p.Imports {
			to := ours(path)
			if from == "" || to == "" || from == to {
				continue
			}
			a, b := layerOf(from), layerOf(to)
			switch {
			case a < 0:
				t.Errorf("%s is in no layer: add its folder to the list", from)
			case folderOf(from) == folderOf(to) && !innerArrow(from, to):
				t.Errorf("%s imports %s against the arrows within %s", from, to, folderOf(from))
			case folderOf(from) != folderOf(to) && a >= b && !(folderOf(from) == "internal/kube" && to == "internal/text"):
				t.Errorf("%s imports %s. %s", from, to, layers[b].why)
			}
		}
	}
}

func TestPackagesStaySmall(t *testing.T) {
	for _, p := range packages(t) {
		if files := slices.Concat(p.GoFiles, p.IgnoredGoFiles); len(files) > most {
			t.Errorf("%s has %d files, and a package has at most %d: find its second subject", ours(p.ImportPath), len(files), most)
		}
	}
}

func TestOnlyTheCommandLineKnowsTheTerminal(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			if strings.HasPrefix(ours(p.ImportPath), "pkg/") && slices.Contains([]string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term", "github.com/olekukonko/tablewriter"}, path) {
				t.Errorf("%s imports %s. Flags are internal/cli's and drawing is internal/ui's: take options, return values.", ours(p.ImportPath), path)
			}
		}
	}
}

// TestOnlyOnePackageKnowsAzure keeps the Azure SDK in one place: what others need of it is a value of pkg/azure.
func TestOnlyOnePackageKnowsAzure(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			if ours(p.ImportPath) != "pkg/azure" && strings.HasPrefix(path, "github.com/Azure/azure-sdk-for-go/") {
				t.Errorf("%s imports %s: only pkg/azure imports the Azure SDK", p.ImportPath, path)
			}
		}
	}
}

type goPackage struct {
	ImportPath              string
	Imports                 []string
	GoFiles, IgnoredGoFiles []string
}

// packages returns the packages of this module as go list knows them.
func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles,IgnoredGoFiles", "../../...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	var all []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// ours returns a package's folder in this module; "" for another module's, and for what only tests and developers run.
func ours(path string) string {
	folder, ok := strings.CutPrefix(path, module)
	for _, aside := range []string{"internal/sandboxtest", "internal/kubetest", "internal/faultproxy", "internal/armtest", "internal/mutants", "bench", "hack"} {
		if folder == aside || strings.HasPrefix(folder, aside+"/") {
			return ""
		}
	}
	if !ok {
		return ""
	}
	return folder
}

func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(l struct {
		folders []string
		why     string
	}) bool {
		return slices.Contains(l.folders, folderOf(pkg))
	})
}

// folderOf returns the first two elements of a folder, which are what a layer lists.
func folderOf(pkg string) string {
	parts := strings.SplitN(filepath.ToSlash(pkg), "/", 3)
	return strings.Join(parts[:min(len(parts), 2)], "/")
}

// innerArrow reports whether a package may import another of its folder.
func innerArrow(from, to string) bool {
	switch folderOf(from) {
	case "internal/cli": // a command imports what commands share, and no other command
		return to == "internal/cli"
	case "pkg/release", "pkg/expose": // small trees, without a rule of their own
		return true
	case "pkg/doctor":
		switch {
		case from == "pkg/doctor/checks": // the list
			return true
		case from == "pkg/doctor/fixes":
			return to == "pkg/doctor"
		case strings.HasPrefix(from, "pkg/doctor/checks/") && slices.Contains(sharedByChecks, to):
			return true
		}
	}
	return slices.Contains(inner[from], to)
}
