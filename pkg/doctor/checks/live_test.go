package checks

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// mini is the release that the tests here install.
var mini *release.Release

func options() doctor.Options { return doctor.Options{Settings: doctor.Settings{Release: mini}} }

// kubeconfig is for a real API server with the components of AKS, shared by the tests here.
var kubeconfig string

func TestMain(m *testing.M) {
	sandboxtest.Main(m, &kubeconfig, "--kubernetes=1.35")
}

// connect returns a client of the sandbox with a small Kubeflow on it, broken as in the guide: fixes of earlier tests are undone.
func connect(t *testing.T, ctx context.Context) *cluster.Client {
	t.Helper()
	sandboxtest.Needed(t)
	client := clientOf(t, "")
	rendered, err := release.Render(ctx, release.Input{Release: "mini"}, release.RenderOptions{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	mini = rendered.Release
	applyAll(t, ctx, client, rendered.Objects())
	runs, err := fixes.Runs(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if _, err := fixes.Undo(ctx, client, All(), r, fixes.UndoOptions{Wait: time.Minute, Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		deleteRecord(t, ctx, client, r)
	}
	applyAll(t, ctx, client, rendered.Objects())
	expectFindings(t, ctx, client, problems...)
	return client
}

// clientOf returns a client of the sandbox for a user; "" is its administrator.
func clientOf(t *testing.T, user string) *cluster.Client {
	t.Helper()
	return sandboxtest.Connect(t, kubeconfig, func(flags *genericclioptions.ConfigFlags) { flags.Impersonate = &user })
}

// applyAll applies objects repeatedly until the server has accepted each, as users do with kubectl.
func applyAll(t *testing.T, ctx context.Context, client *cluster.Client, objects []*unstructured.Unstructured) {
	t.Helper()
	for len(objects) > 0 {
		var last error
		objects = slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool {
			_, err := client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: "test", Force: true})
			if err != nil {
				last = err
			}
			return err == nil
		})
		client.Forget()
		if ctx.Err() != nil {
			t.Fatalf("%d objects were not accepted; the last error: %v", len(objects), last)
		}
	}
}

// expectFindings waits until doctor reports exactly these lines, and fails otherwise.
func expectFindings(t *testing.T, ctx context.Context, client *cluster.Client, lines ...string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got := summary(doctor.Diagnose(ctx, client.View(), All(), options()))
		if slices.Equal(got, lines) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("doctor reports\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// summary returns a line per error, and per check that could not run.
func summary(r *doctor.Report) []string {
	var lines []string
	for _, c := range r.Checks {
		if c.Status == doctor.Unknown {
			lines = append(lines, c.ID+" unknown: "+c.Reason)
		}
		for _, f := range c.Findings {
			if f.Severity == doctor.Error {
				lines = append(lines, strings.TrimSpace(c.ID+" "+f.About.Name+" "+f.ExplainedBy))
			}
		}
	}
	return lines
}

func fixWith(t *testing.T, ctx context.Context, client *cluster.Client, allow ...doctor.Impact) *doctor.Report {
	t.Helper()
	r, err := fixes.Apply(ctx, client, All(), fixes.Options{Options: options(), Allow: allow, Wait: time.Minute, Now: time.Now, Progress: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatalf("fixing: %v", err)
	}
	return r
}

func undoLast(t *testing.T, ctx context.Context, client *cluster.Client) *fixes.Undone {
	t.Helper()
	runs, err := fixes.Runs(ctx, client)
	if err != nil || len(runs) == 0 {
		t.Fatalf("there is no run to undo: %v", err)
	}
	u, err := fixes.Undo(ctx, client, All(), runs[0], fixes.UndoOptions{Wait: time.Minute, Now: time.Now})
	if err != nil {
		t.Fatalf("undoing: %v", err)
	}
	return u
}

func outcomes(r *doctor.Report) map[doctor.Outcome]int {
	n := map[doctor.Outcome]int{}
	for _, f := range r.Fixes {
		n[f.Outcome]++
	}
	return n
}

// problems are the findings on the small Kubeflow after its installation.
var problems = []string{
	"platform/admissions-enforcer istio-sidecar-injector",
	"mesh/sidecars kubeflow platform/admissions-enforcer",
	"mesh/destination-rules ml-pipeline platform/admissions-enforcer",
	"mesh/destination-rules ml-pipeline-mysql platform/admissions-enforcer",
	"mesh/destination-rules ml-pipeline-ui platform/admissions-enforcer",
	"mesh/destination-rules ml-pipeline-visualizationserver platform/admissions-enforcer",
	"pipelines/executor workflow-controller-configmap",
	"training/mpi-operator mpi-operator",
}

// deleteRecord deletes the record of a run, so that the next undo is of the run before.
func deleteRecord(t *testing.T, ctx context.Context, client *cluster.Client, r fixes.Run) {
	t.Helper()
	record := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{"name": "kubectl-kubeflow-doctor-" + r.Name, "namespace": state.Namespace}}}
	if _, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: record}, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
}
