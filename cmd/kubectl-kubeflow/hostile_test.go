//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

const hostileScenario = "../../sandbox/scenario/scenarios/hostile.yaml"

// formats are the commands that show what a cluster holds, in each of their formats.
var formats = [][]string{
	{"status"}, {"status", "--tree"}, {"status", "-o", "wide"}, {"status", "-o", "json"}, {"status", "-o", "yaml"}, {"status", "-o", "name"},
	{"expose"}, {"expose", "-o", "json"}, {"expose", "-o", "yaml"}, {"expose", "--lb", "--dry-run=client"}, {"expose", "--remove", "--dry-run=client"},
	{"uninstall", "--dry-run=client"}, {"uninstall", "--dry-run=client", "-o", "json"}, {"uninstall", "--dry-run=client", "-o", "yaml"},
	{"install", "--release=mini", "--dry-run=client"}, {"install", "--release=mini", "--diff"}, {"install", "--release=mini", "--diff", "-o", "yaml"},
	{"doctor", "--fix", "--dry-run"}, {"doctor", "--undo", "--list"}, {"doctor", "--undo", "--list", "-o", "yaml"}, {"bundle", "-O", "BUNDLE"}, {"version"}, {"version", "-o", "yaml"}, {"releases"},
	{"__complete", "doctor", "--suppress", ""}, {"__complete", "status", "--namespace", ""},
}

var reports = []string{"table", "wide", "short", "json", "yaml", "markdown", "junit", "sarif"}

// TestNothingHostileInManifestsReachesTheScreen diagnoses manifests with hostile text, in every format.
func TestNothingHostileInManifestsReachesTheScreen(t *testing.T) {
	for _, format := range reports {
		for _, color := range []string{"never", "always"} {
			showsNothingHostile(t, []string{"doctor", "-f", manifests(t), "-o", format, "--color=" + color})
		}
	}
	for _, name := range []string{"\x1b[2J\u202efile.yaml", "a\n✓ all healthy", "$(touch canary)"} { // what a command line may name
		for _, args := range [][]string{{"doctor", "-f", name}, {"doctor", "--from", name}, {"doctor", name}, {"build", "--dir", t.TempDir(), "-f", name}, {"install", "--dir", name}, {name}, {"--" + name}} {
			showsNothingHostile(t, args)
		}
	}
}

// hostileText steers a terminal, imitates a line of ours, runs in a shell, and is HTML, a link and a mention.
const hostileText = "\x1b[2J\u202e\u0085\u2066 <img src=x> @everyone #1 [a](https://example.com) $(touch canary) `touch canary` '; touch canary; '\n✓ all healthy\n"

// hostileFields are fields in which whoever writes an object, or what a controller says of it, chooses the text.
var hostileFields = regexp.MustCompile(`/(status|annotations|data|stringData|parameters)/|/(message|reason|note|image|value|args/\d+|command/\d+|host|uri|prefix|issuer|password|server|path)$`)

// TestNothingHostileInACaseReachesTheScreen diagnoses the objects of the checks' cases with hostile text in their fields, so that the messages of
// all checks quote it.
func TestNothingHostileInACaseReachesTheScreen(t *testing.T) {
	cases, err := filepath.Glob("../../pkg/doctor/checks/*/testdata/*/*.txtar")
	if err != nil || len(cases) < 300 {
		t.Fatal(len(cases), err)
	}
	random, runs := rand.New(rand.NewPCG(15, 3)), 0
	file := filepath.Join(t.TempDir(), "case.yaml")
	for _, path := range cases {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "cluster.yaml" })
		if at < 0 || random.IntN(10) > 0 {
			continue
		}
		var content bytes.Buffer
		for _, o := range kubetest.Objects(t, a.Files[at].Data) {
			withHostile(random, o.Object, "")
			document, err := yaml.Marshal(o.Object)
			if err != nil {
				t.Fatal(err)
			}
			content.WriteString("---\n" + string(document))
		}
		if err := os.WriteFile(file, content.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{reports[runs%len(reports)], "markdown", "json"} {
			runs++
			showsNothingHostile(t, []string{"doctor", "-f", file, "-o", format})
		}
		if t.Failed() {
			t.Fatalf("the objects are of %s", path)
		}
	}
	t.Logf("%d runs", runs)
}

// withHostile adds hostile text to fields of an object.
func withHostile(random *rand.Rand, value any, path string) any {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			value[key] = withHostile(random, value[key], path+"/"+key)
		}
	case []any:
		for i := range value {
			value[i] = withHostile(random, value[i], fmt.Sprint(path, "/", i))
		}
	case string:
		if hostileFields.MatchString(path) && random.IntN(3) > 0 {
			return value + hostileText
		}
	}
	return value
}

// TestNothingHostileInAClusterReachesTheScreen runs every command over the hostile scenario on a real API server.
func TestNothingHostileInAClusterReachesTheScreen(t *testing.T) {
	sandboxtest.Needed(t)
	kubeconfig, stop := sandboxtest.Start("--kubernetes=1.35", "--scenario=healthy-26.03")
	defer stop()
	apply := exec.Command(sandboxtest.Kubectl("1.35"), "--kubeconfig", kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", manifests(t))
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	saved := filepath.Join(t.TempDir(), "bundle.tar.gz")
	for _, args := range formats {
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "BUNDLE", saved)
		}
		if code := showsNothingHostile(t, append(args, "--kubeconfig="+kubeconfig)); code == exitUsage {
			t.Errorf("%q is not a command line", args)
		}
	}
	for _, format := range reports {
		showsNothingHostile(t, []string{"doctor", "--kubeconfig=" + kubeconfig, "-o", format})
		showsNothingHostile(t, []string{"doctor", "--from", saved, "-o", format})
	}
}

// manifests returns a file with the objects of the hostile scenario.
func manifests(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(hostileScenario)
	if err != nil {
		t.Fatal(err)
	}
	_, objects, found := strings.Cut(string(content), "\n---\n")
	file := filepath.Join(t.TempDir(), "hostile.yaml")
	if err := os.WriteFile(file, []byte(objects), 0o600); err != nil || !found {
		t.Fatal(err)
	}
	return file
}

var (
	ownColours = regexp.MustCompile("\x1b\\[(0|1|2|31|32|33|36)m")
	inCode     = regexp.MustCompile("(?s)(`{3,}).*?\n`{3,}|`+[^`\n]*`+")
)

// showsNothingHostile runs a command line, looks at what it writes, and returns its exit code.
func showsNothingHostile(t *testing.T, args []string) (code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = run(args, strings.NewReader(""), &out, &errOut)
	line := strings.Join(args, " ")
	for stream, text := range map[string]string{"stdout": out.String(), "stderr": errOut.String()} {
		if strings.Contains(line, "--color=always") {
			text = ownColours.ReplaceAllString(text, "")
		}
		bad := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsGraphic(r) })
		if bad >= 0 || !utf8.ValidString(text) {
			t.Errorf("%q shows on %s %q", line, stream, text[max(bad-40, 0):min(bad+40, len(text))])
		}
		if strings.Contains(text, "\n✓ all healthy") {
			t.Errorf("%q shows a foreign line as its own on %s", line, stream)
		}
	}
	t.Logf("%q: exit code %d, %d and %d bytes", line, code, out.Len(), errOut.Len())
	switch {
	case strings.Contains(line, "-o markdown"):
		if left := inCode.ReplaceAllString(out.String(), ""); strings.ContainsAny(left, "<@#") && regexp.MustCompile(`<|@|[^#\n ]#|#\d`).MatchString(left) {
			t.Errorf("%q has HTML, a mention or a reference outside code:\n%s", line, left)
		}
	case strings.Contains(line, "-o yaml"):
		var value any
		if err := yaml.Unmarshal(out.Bytes(), &value); err != nil {
			t.Errorf("%q writes no YAML: %v", line, err)
		}
	case strings.Contains(line, "doctor") && strings.Contains(line, "-o json"):
		var report struct {
			Checks []struct {
				Findings []struct {
					Command string
					About   cluster.Ref
				}
			}
		}
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Errorf("%q writes no JSON: %v", line, err)
		}
		for _, c := range report.Checks {
			for _, f := range c.Findings {
				isHarmless(t, f.Command, f.About.Name)
			}
		}
	}
	return code
}

// isHarmless gives a command to a shell in which kubectl and its like only print their words. A name with signs of the shell is one of
// them, or the end of one, if the command has it.
func isHarmless(t *testing.T, command, name string) {
	t.Helper()
	if command == "" {
		return
	}
	folder := t.TempDir()
	shell := exec.Command("bash", "-c", "kubectl() { printf '%s\\0' \"$@\"; }; az() { kubectl \"$@\"; }; "+command)
	shell.Dir = folder
	out, err := shell.CombinedOutput()
	if err != nil && strings.Contains(string(out), "syntax error") {
		t.Errorf("%q is not a command: %s", command, out)
	}
	if _, err := os.Stat(filepath.Join(folder, "canary")); err == nil {
		t.Errorf("%q runs what a name holds", command)
	}
	words := strings.Split(string(out), "\x00")
	if strings.ContainsAny(name, " $`'\"();<>|&*") && strings.Contains(command, name[:strings.IndexAny(name, " $`'\"();<>|&*")+1]) &&
		!slices.ContainsFunc(words, func(word string) bool { return word == name || strings.HasSuffix(word, "/"+name) }) {
		t.Errorf("%q becomes the words %q, and none is %q", command, words, name)
	}
}
