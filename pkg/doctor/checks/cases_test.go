package checks

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var update = flag.Bool("update", false, "rewrite what the cases want to hear")

// TestCases runs every case of every check: testdata/<area>-<name>/<case>.txtar holds what the cluster has (cluster.yaml), the
// server's version (version), the user's choices (settings) and what we want to hear (want).
func TestCases(t *testing.T) {
	for _, c := range All() {
		paths, err := filepath.Glob("testdata/" + c.Slug() + "/*.txtar")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(path), ".txtar"), "-", " ")
			t.Run(c.ID+"/"+name, func(t *testing.T) { runCase(t, c, path) })
		}
	}
}

func runCase(t *testing.T, c *doctor.Check, path string) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	view, settings := read(t, a)
	r := doctor.Diagnose(context.Background(), view, []*doctor.Check{c}, doctor.Options{Settings: settings})
	got := heard(r.Checks[0])
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
	if *update {
		if i < 0 {
			a.Files = append(a.Files, txtar.File{Name: "want"})
			i = len(a.Files) - 1
		}
		a.Files[i].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 || got != string(a.Files[i].Data) {
		t.Errorf("%s: heard\n%s\nwhere this was wanted; make golden rewrites it:\n%s", path, got, file(a, "want"))
	}
}

func file(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// read makes a View of a case, and the settings it is looked at with.
func read(t *testing.T, a *txtar.Archive) (cluster.View, doctor.Settings) {
	t.Helper()
	var server *version.Info
	if v := strings.TrimSpace(file(a, "version")); v != "" {
		server = &version.Info{GitVersion: v}
	}
	var s doctor.Settings
	for line := range strings.Lines(file(a, "settings")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "mpi":
			s.MPI = value
		case "mesh":
			s.Mesh = value
		default:
			t.Fatalf("there is no setting %q", key)
		}
	}
	s.MPIOperator = objects(t, file(a, "operator.yaml"))
	return cluster.Objects("the case", server, objects(t, file(a, "cluster.yaml"))...), s
}

func objects(t *testing.T, documents string) []*unstructured.Unstructured {
	t.Helper()
	var list []*unstructured.Unstructured
	for document := range bytes.SplitSeq([]byte(documents), []byte("\n---\n")) {
		o := &unstructured.Unstructured{}
		content, err := yaml.YAMLToJSON(document)
		if err != nil {
			t.Fatalf("reading the case's objects: %v", err)
		}
		if string(content) == "null" {
			continue
		}
		if err := o.UnmarshalJSON(content); err != nil { // numbers become what they are when they come from a server
			t.Fatalf("reading the case's objects: %v", err)
		}
		list = append(list, o)
	}
	return list
}

// heard writes down how a check ended, as one would read it.
func heard(c doctor.CheckReport) string {
	var b strings.Builder
	fmt.Fprintln(&b, strings.TrimSpace(string(c.Status)+" "+c.Reason))
	for _, f := range c.Findings {
		fmt.Fprintf(&b, "\n%s: %s\n  %s\n", f.Severity, f.Message, f.About)
		for _, line := range []struct{ name, text string }{
			{"consequence", f.Consequence}, {"cause", f.Cause}, {"explained by", f.ExplainedBy}, {"advice", f.Advice}, {"command", f.Command},
		} {
			if line.text != "" {
				fmt.Fprintf(&b, "  %s: %s\n", line.name, strings.ReplaceAll(line.text, "\n", "\n    "))
			}
		}
		if f.Fix == nil {
			continue
		}
		fmt.Fprintf(&b, "  fix (%s): %s\n", f.Fix.Impact, f.Fix.Title)
		for _, change := range doctor.Show(f.Fix.Changes) {
			fmt.Fprintf(&b, "  - %s %s\n", change.Verb, change.About)
			for line := range strings.Lines(change.Diff) {
				if (line[0] == '+' || line[0] == '-') && !strings.HasPrefix(line, "+++") && !strings.HasPrefix(line, "---") {
					fmt.Fprintf(&b, "      %s\n", strings.TrimRight(line, "\n"))
				}
			}
		}
	}
	return b.String()
}

// A recorder notes which kinds a check asks for.
type recorder struct {
	cluster.View
	mu    sync.Mutex
	asked map[schema.GroupKind]bool
}

func (r *recorder) note(kind schema.GroupKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[kind] = true
}

func (r *recorder) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	r.note(ref.GroupKind())
	return r.View.Get(ctx, ref)
}

func (r *recorder) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	r.note(kind)
	return r.View.List(ctx, kind, in)
}

func TestAListEntryIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.ID] {
			t.Errorf("%s is listed twice", c.ID)
		}
		seen[c.ID] = true
		source := strings.NewReplacer("/", "_", "-", "_").Replace(c.ID) + ".go"
		if _, err := os.Stat(source); err != nil {
			t.Errorf("%s is not in the file of its name: %v", c.ID, err)
		}
		for _, text := range []struct{ name, value string }{{"title", c.Title}, {"why", c.Why}, {"cure", c.Cure}} {
			if text.value == "" {
				t.Errorf("%s has no %s", c.ID, text.name)
			}
		}
		if strings.HasSuffix(c.Title, ".") || c.Title == "" || c.Title[0] >= 'A' && c.Title[0] <= 'Z' && !strings.HasPrefix(c.Title, "MPI") {
			t.Errorf("%s: the title %q should read beside ✓: no capital, no full stop", c.ID, c.Title)
		}
	}
}

func TestEveryCheckHasAWellAndAnIllCase(t *testing.T) {
	for _, c := range All() {
		paths, _ := filepath.Glob("testdata/" + c.Slug() + "/*.txtar")
		endings := map[doctor.Status]int{}
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			status, _, _ := strings.Cut(strings.TrimSpace(file(a, "want")), "\n")
			status, _, _ = strings.Cut(status, " ")
			endings[doctor.Status(status)]++
		}
		if endings[doctor.OK] == 0 || endings[doctor.Found] == 0 {
			t.Errorf("%s: %d cases are well and %d ill; it needs at least one of each", c.ID, endings[doctor.OK], endings[doctor.Found])
		}
	}
}

func TestChecksReadWhatTheySay(t *testing.T) {
	for _, c := range All() {
		asked := map[schema.GroupKind]bool{}
		paths, _ := filepath.Glob("testdata/" + c.Slug() + "/*.txtar")
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			view, settings := read(t, a)
			if len(settings.MPIOperator) > 0 {
				continue // it reads what the newer operator brings
			}
			r := &recorder{View: view, asked: asked}
			_, _ = c.Run(context.Background(), doctor.Exam{View: r, Settings: settings}) // TestCases judges the result
		}
		for kind := range asked {
			if !slices.Contains(c.Reads, kind) {
				t.Errorf("%s reads %s and does not say so", c.ID, kind)
			}
		}
		for _, kind := range c.Reads {
			if !asked[kind] {
				t.Errorf("%s says that it reads %s, and no case makes it", c.ID, kind)
			}
		}
	}
}

func TestAnUnknownIDNamesTheNearest(t *testing.T) {
	for id, want := range map[string]string{
		"pipelines/exektor": "pipelines/executor", "executor": "pipelines/executor", "destinationrules": "mesh/destination-rules", "zebra": "",
	} {
		_, err := Find(id)
		unknown, ok := err.(*UnknownIDError)
		if !ok || unknown.Near != want {
			t.Errorf("%s is answered with %v, want %q to be named", id, err, want)
		}
	}
	if found, err := Find("mesh"); err != nil || len(found) != 2 {
		t.Errorf("the area mesh stands for %d checks (%v), want 2", len(found), err)
	}
}
