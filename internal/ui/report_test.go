package ui

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var updateReports = flag.Bool("update", false, "rewrite the expected drawings")

// aReport has one check of every kind.
func aReport() *doctor.Report {
	config := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "workflow-controller-configmap", "namespace": "kubeflow"}, "data": map[string]any{"containerRuntimeExecutor": "docker"}}}
	fix := &doctor.Fix{Title: "Set the workflow executor to pns", Impact: doctor.RestartsPods, Changes: []cluster.Change{
		cluster.Edit(config, func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, "pns", "data", "containerRuntimeExecutor")
		}),
		doctor.RestartOf(config),
	}}
	about := doctor.Subject{Ref: cluster.RefOf(config), Field: "data.containerRuntimeExecutor"}
	cause := "It was built for Docker."
	r := doctor.NewReport()
	r.Context, r.Server, r.Kubernetes = "KubeTestCluster", "https://kubetest.example.com:443", "v1.21.14"
	r.Release = doctor.KnownRelease{Name: "1.2.0", From: "fingerprint"}
	r.Platform = doctor.Platform{AKS: true, Runtime: "containerd://1.7.30-1", Support: "long-term support only", Network: "Azure CNI Overlay, NetworkPolicies enforced by Cilium", Addons: []string{"monitoring", "Azure Policy"},
		Pools: []doctor.Pool{{Name: "nodepool1", Mode: "system", Nodes: 3, VMSize: "Standard_D4s_v3"}, {Name: "gpu", Mode: "user", Nodes: 1, VMSize: "Standard_NC6s_v3", Kubernetes: "v1.34.1"}}}
	r.Hints = []string{"The quota of the subscription limits what a pool can grow to."}
	r.Checks = []doctor.CheckReport{
		{ID: "platform/kubernetes-version", Title: "Release is tested on this version", Status: doctor.OK},
		{ID: "nodes/container-runtime", Title: "Nodes run containerd", Status: doctor.Unknown, Reason: "needs list on nodes"},
		{ID: "pipelines/executor", Title: "Workflow executor matches the container runtime", Status: doctor.Found, Findings: []doctor.Finding{
			{Severity: doctor.Error, About: about, Message: "the workflow executor is set to docker, but containerd runs on 3 nodes", Cause: cause,
				Consequence: "Every pipeline step hangs in ContainerCreating.", Command: "kubectl edit configmap -n kubeflow workflow-controller-configmap", Fix: fix},
			{Severity: doctor.Error, About: about, Message: "another of the same cause", Cause: cause, Fix: fix},
		}},
		{ID: "pipelines/steps", Title: "Steps run", Status: doctor.Found, Findings: []doctor.Finding{
			{Severity: doctor.Error, About: about, Message: "a step hangs", ExplainedBy: "pipelines/executor"},
			{Severity: doctor.Error, About: doctor.Subject{Ref: cluster.Ref{Name: "second-step"}}, Message: "a second step hangs", ExplainedBy: "pipelines/executor"},
		}},
		{ID: "training/mpi-operator", Title: "MPI operator supports its arguments", Status: doctor.NotApplicable, Reason: "there is none"},
		{ID: "exposure/endpoint", Title: "Dashboard has an external address", Status: doctor.Found, Findings: []doctor.Finding{
			{Severity: doctor.Info, About: about, Message: "the dashboard has no address", Command: "kubectl kubeflow expose"},
		}},
	}
	for i := range r.Checks {
		for j := range r.Checks[i].Findings {
			r.Checks[i].Findings[j].Page = "https://example.com/checks/" + r.Checks[i].ID
		}
	}
	r.Summary = doctor.Summary{OK: 1, Info: 1, Error: 4, Skipped: 1, Unknown: 1}
	r.Fixes = []doctor.FixResult{
		{Check: "pipelines/executor", Outcome: doctor.Fixed, Fix: fix},
		{Check: "pipelines/executor", Outcome: doctor.Refused, Reason: "it restarts pods: allow that with --allow-restart", Fix: fix},
	}
	return r
}

func TestReportsFitTheirScreen(t *testing.T) {
	for _, c := range []struct {
		name    string
		width   int
		unicode bool
		style   ReportStyle
	}{
		{"report", 80, true, ReportStyle{Next: "Apply the automatic fixes: kubectl kubeflow doctor --fix"}},
		{"report-verbose", 80, true, ReportStyle{Verbose: true}},
		{"report-quiet", 80, true, ReportStyle{Quiet: true}},
		{"report-narrow-ascii", 50, false, ReportStyle{}},
		{"report-wide", 120, true, ReportStyle{Wide: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			s := &Screen{Out: &out, Width: c.width, Unicode: c.unicode}
			if err := s.Report(aReport(), c.style); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				words := strings.Fields(line)
				unbreakable := len(words) > 0 && utf8.RuneCountInString(words[len(words)-1]) > c.width-details
				if n := utf8.RuneCountInString(line) - 1; n > c.width && !unbreakable && !strings.Contains(line, "kubectl") {
					t.Errorf("a line of %d columns on a screen of %d: %s", n, c.width, line)
				}
			}
			if !c.unicode && strings.ContainsFunc(out.String(), func(r rune) bool { return r > 127 }) {
				t.Error("there are signs beyond ASCII")
			}
			golden(t, "testdata/"+c.name+".txt", out.String())
		})
	}
}

func TestColoursSayNothingThatWordsDoNot(t *testing.T) {
	draw := func(color bool) string {
		var out bytes.Buffer
		s := &Screen{Out: &out, Width: 80, Unicode: true, Color: color}
		if err := s.Report(aReport(), ReportStyle{}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if plain, coloured := draw(false), draw(true); escape.Unstyled(coloured) != plain {
		t.Errorf("without its colours the report reads\n%s\nwhere it is\n%s", escape.Unstyled(coloured), plain)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *updateReports {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s (%v): drawn is\n%s\nwhere this was wanted; make golden rewrites it:\n%s", path, err, got, want)
	}
}
