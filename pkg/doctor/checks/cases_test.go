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
	"testing"
	"time"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

var update = flag.Bool("update", false, "rewrite the expected output of the cases")

// casesOf returns the pattern of a check's case files: those of pipelines/executor are in pipelines/testdata/executor.
func casesOf(c *doctor.Check) string {
	area, name, _ := strings.Cut(c.ID, "/")
	return area + "/testdata/" + name + "/*.txtar"
}

// caseName returns the name of a case: "pipelines/executor/docker".
func caseName(path string) string {
	return strings.Replace(strings.TrimSuffix(filepath.ToSlash(path), ".txtar"), "/testdata", "", 1)
}

// TestCases runs every case of every check: <area>/testdata/<name>/<case>.txtar holds what the cluster has (cluster.yaml), the
// server's version (version), what is about to be applied (install.yaml), the user's choices (settings) and the expected report (want).
func TestCases(t *testing.T) {
	for _, c := range Every() {
		paths, err := filepath.Glob(casesOf(c))
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
	got := formatReport(r.Checks[0])
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
		t.Errorf("%s: got\n%s\nwant (make golden rewrites it):\n%s", path, got, file(a, "want"))
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

// read returns the View of a case, and its settings.
func read(t *testing.T, a *txtar.Archive) (cluster.View, doctor.Settings) {
	t.Helper()
	var server *version.Info
	if v := strings.TrimSpace(file(a, "version")); v != "" {
		server = &version.Info{GitVersion: v}
	}
	s := doctor.Settings{Install: &doctor.Installation{Ours: map[cluster.Ref]bool{}}}
	for line := range strings.Lines(file(a, "settings")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "mpi":
			s.MPI = value
		case "hash":
			s.PasswordHash = value
		case "user":
			s.PasswordUser = value
		case "secret":
			s.NewSecret = func() string { return value }
		case "namespace":
			s.Namespace = value
		case "named":
			s.Named = value == "true"
		case "mesh":
			s.Mesh = value
		case "adopt":
			s.Install.Adopt = append(s.Install.Adopt, value)
		case "blocked": // ID|WHAT|NEXT
			parts := strings.Split(value, "|")
			s.Install.Blocked = map[string][]*problem.Error{parts[0]: {{What: parts[1], Next: parts[2]}}}
		case "ours": // KIND/NAME of apps/v1 in namespace cert-manager
			kind, name, _ := strings.Cut(value, "/")
			s.Install.Ours[cluster.Ref{APIVersion: "apps/", Kind: kind, Namespace: "cert-manager", Name: name}] = true
		default:
			t.Fatalf("there is no setting %q", key)
		}
	}
	s.MPIOperator = objects(t, file(a, "operator.yaml"))
	s.Inspect = inspectionOf(t, a)
	view := cluster.Saved("the case", savedAnswers(t, a, server), objects(t, file(a, "cluster.yaml"))...)
	if toInstall := objects(t, file(a, "install.yaml")); len(toInstall) > 0 {
		s.Install.Objects, s.Install.Now, s.Install.Component = toInstall, view, map[cluster.Ref]string{}
		for _, o := range toInstall {
			s.Install.Component[cluster.RefOf(o).Identity()] = o.GetAnnotations()["component"]
		}
		return cluster.Overlay(view, toInstall...), s
	}
	s.Install = nil
	return view, s
}

// inspectionOf returns what a case says of the installation (inspection.yaml). It asks for what the real one reads first.
func inspectionOf(t *testing.T, a *txtar.Archive) func(context.Context, cluster.View) (*doctor.Inspection, error) {
	content := file(a, "inspection.yaml")
	if content == "" {
		return nil
	}
	known := &doctor.Inspection{}
	if err := yaml.UnmarshalStrict([]byte(content), known); err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, view cluster.View) (*doctor.Inspection, error) {
		for _, kind := range []schema.GroupKind{kube.NamespaceKind, kube.ConfigMapKind} {
			if _, err := view.List(ctx, kind, cluster.Scope{}); err != nil {
				return nil, err
			}
		}
		return withoutRestored(ctx, view, *known), nil
	}
}

// withoutRestored returns what is known without the drift of workloads that have been scaled back.
func withoutRestored(ctx context.Context, view cluster.View, known doctor.Inspection) *doctor.Inspection {
	known.Objects = slices.Clone(known.Objects)
	for i, o := range known.Objects {
		if o.Replicas == 0 || len(o.Drift) == 0 {
			continue
		}
		if live, err := view.Get(ctx, o.Ref); err == nil && kube.Replicas(live) >= o.Replicas {
			known.Objects[i].Drift = slices.DeleteFunc(slices.Clone(o.Drift), func(field string) bool { return strings.HasPrefix(field, "spec.replicas:") })
		}
	}
	return &known
}

// savedAnswers reads what a case has besides objects: the time (now), logs (logs/NAMESPACE/POD/CONTAINER, with .previous for the
// previous container), and responses at other paths (raw/PATH).
func savedAnswers(t *testing.T, a *txtar.Archive, server *version.Info) cluster.Memory {
	t.Helper()
	m := cluster.Memory{Version: server, Logs: map[cluster.Ref]map[cluster.LogScope]string{}, Raw: map[string][]byte{}}
	if now := strings.TrimSpace(file(a, "now")); now != "" {
		var err error
		if m.Now, err = time.Parse(time.RFC3339, now); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range a.Files {
		if path, ok := strings.CutPrefix(f.Name, "raw"); ok {
			m.Raw[path] = f.Data
		}
		if parts := strings.Split(f.Name, "/"); len(parts) == 4 && parts[0] == "logs" {
			container, previous := strings.CutSuffix(parts[3], ".previous")
			pod := cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: parts[1], Name: parts[2]}
			m.Logs[pod.Identity()] = map[cluster.LogScope]string{{Container: container, Previous: previous, Lines: cluster.LogLines}: string(f.Data)}
		}
	}
	return m
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
		if err := o.UnmarshalJSON(content); err != nil { // decodes numbers as from a server
			t.Fatalf("reading the case's objects: %v", err)
		}
		list = append(list, o)
	}
	return list
}

// formatReport returns a check's report as readable text.
func formatReport(c doctor.CheckReport) string {
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
