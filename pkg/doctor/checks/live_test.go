package checks

import (
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// mini is the release that the tests here install.
var mini *release.Release

func options() doctor.Options { return doctor.Options{Settings: doctor.Settings{Release: mini}} }

// kubeconfig is that of a real API server with AKS's parts, shared by the tests here.
var kubeconfig string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	var stop func()
	kubeconfig, stop = sandboxtest.Start("--kubernetes=1.35")
	code := m.Run()
	stop()
	os.Exit(code)
}

// connect returns a client of the sandbox with a small Kubeflow on it, broken in the guide's ways: what an earlier test cured is taken back.
func connect(t *testing.T, ctx context.Context) *cluster.Client {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a cluster, which -short asks to leave out")
	}
	flags := genericclioptions.NewConfigFlags(true)
	flags.KubeConfig = &kubeconfig
	client, err := cluster.Connect(flags)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := release.Render(ctx, release.Input{Release: "mini"}, release.RenderOptions{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	mini = rendered.Release
	putAll(t, ctx, client, rendered.Objects())
	runs, err := doctor.Runs(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if _, err := doctor.Undo(ctx, client, r, doctor.UndoOptions{Wait: time.Minute, Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		forget(t, ctx, client, r)
	}
	putAll(t, ctx, client, rendered.Objects())
	want(t, ctx, client, sick...)
	return client
}

// putAll applies objects again and again until the server has taken each, as people do with kubectl.
func putAll(t *testing.T, ctx context.Context, client *cluster.Client, objects []*unstructured.Unstructured) {
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
			t.Fatalf("%d objects were not taken; the last: %v", len(objects), last)
		}
	}
}

// want waits until doctor hears exactly these lines, and fails with what it hears instead.
func want(t *testing.T, ctx context.Context, client *cluster.Client, lines ...string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got := brief(doctor.Diagnose(ctx, client.View(), All(), options()))
		if slices.Equal(got, lines) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("doctor hears\n  %s\nwhere this was wanted\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// brief returns a line per finding that matters, and per check that could not look.
func brief(r *doctor.Report) []string {
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

func cureWith(t *testing.T, ctx context.Context, client *cluster.Client, allow ...doctor.Impact) *doctor.Report {
	t.Helper()
	r, err := doctor.Cure(ctx, client, All(), doctor.CureOptions{Options: options(), Allow: allow, Wait: time.Minute, Now: time.Now, Progress: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatalf("curing: %v", err)
	}
	return r
}

func undoLast(t *testing.T, ctx context.Context, client *cluster.Client) *doctor.Undone {
	t.Helper()
	runs, err := doctor.Runs(ctx, client)
	if err != nil || len(runs) == 0 {
		t.Fatalf("there is no run to undo: %v", err)
	}
	u, err := doctor.Undo(ctx, client, runs[0], doctor.UndoOptions{Wait: time.Minute, Now: time.Now})
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

// sick is what doctor hears of the small Kubeflow as it comes.
var sick = []string{
	"platform/admissions-enforcer istio-sidecar-injector",
	"mesh/sidecars kubeflow platform/admissions-enforcer",
	"mesh/destination-rules ml-pipeline platform/admissions-enforcer",
	"mesh/destination-rules ml-pipeline-mysql platform/admissions-enforcer",
	"mesh/destination-rules ml-pipeline-ui platform/admissions-enforcer",
	"mesh/destination-rules ml-pipeline-visualizationserver platform/admissions-enforcer",
	"pipelines/executor workflow-controller-configmap",
	"training/mpi-operator mpi-operator",
}

func TestTheGuidesKubeflowIsCuredTakenBackAndCuredAgain(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	client := connect(t, ctx)
	r := cureWith(t, ctx, client)
	if n := outcomes(r); n[doctor.Refused] != 1 || n[doctor.Cured] == 0 || n[doctor.Failed]+n[doctor.Remains]+n[doctor.Worse] > 0 {
		t.Errorf("without leave to restart the outcomes are %v, want all cured but one refused", n)
	}
	want(t, ctx, client, sick[:6]...)

	r = cureWith(t, ctx, client, doctor.RestartsPods)
	if n := outcomes(r); n[doctor.Cured] != 1 || len(r.Fixes) != 1 {
		t.Errorf("the outcomes are %v, want the one that is left cured", n)
	}
	want(t, ctx, client)
	before := resourceVersions(t, ctx, client)
	if r = cureWith(t, ctx, client, doctor.RestartsPods); len(r.Fixes) != 0 {
		t.Errorf("curing what is well made %d fixes", len(r.Fixes))
	}
	if after := resourceVersions(t, ctx, client); !slices.Equal(before, after) {
		t.Errorf("curing what is well changed objects: %v became %v", before, after)
	}

	for range 2 {
		if u := undoLast(t, ctx, client); !u.Whole() {
			t.Errorf("not everything was put back: %+v", u.Steps)
		}
		runs, err := doctor.Runs(ctx, client)
		if err != nil || !runs[0].Undone {
			t.Fatalf("the run is not marked as undone: %v", err)
		}
		forget(t, ctx, client, runs[0])
	}
	want(t, ctx, client, sick...)

	cureWith(t, ctx, client, doctor.RestartsPods)
	want(t, ctx, client)
}

// forget deletes the record of a run, so that the next undo is of the run before.
func forget(t *testing.T, ctx context.Context, client *cluster.Client, r doctor.Run) {
	t.Helper()
	record := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "kubectl-kubeflow-doctor-" + r.Name, "namespace": kubeflow}}}
	if _, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: record}, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
}

func resourceVersions(t *testing.T, ctx context.Context, client *cluster.Client) []string {
	t.Helper()
	var versions []string
	view := client.View()
	list, err := view.List(ctx, mutatingKind, cluster.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	maps, err := view.List(ctx, configMapKind, cluster.Scope{Namespace: kubeflow})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range append(slices.Clone(list), maps...) {
		versions = append(versions, o.GetName()+" "+o.GetResourceVersion())
	}
	return versions
}

func TestADisabledRuleIsSetBackAndAHealthyOneNeverTouched(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	cureWith(t, ctx, client, doctor.RestartsPods)
	rules := func() map[string]string {
		list, err := client.View().List(ctx, ruleKind, cluster.Scope{Namespace: kubeflow})
		if err != nil {
			t.Fatal(err)
		}
		versions := map[string]string{}
		for _, o := range list {
			versions[o.GetName()] = o.GetResourceVersion()
		}
		return versions
	}
	rule, err := client.View().Get(ctx, cluster.Ref{APIVersion: "networking.istio.io/v1alpha3", Kind: "DestinationRule", Namespace: kubeflow, Name: "ml-pipeline-ui"})
	if err != nil {
		t.Fatal(err)
	}
	before := rules()
	if _, err := client.Do(ctx, setMode(rule, mutual, disable), cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	want(t, ctx, client, "mesh/destination-rules ml-pipeline-ui")
	cureWith(t, ctx, client)
	want(t, ctx, client)
	for name, version := range rules() {
		if touched := version != before[name]; touched != (name == "ml-pipeline-ui") {
			t.Errorf("rule %s went from version %s to %s", name, before[name], version)
		}
	}
}

func TestWhatSomebodyChangedSinceIsNotPutBack(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	cureWith(t, ctx, client, doctor.RestartsPods)
	ref := cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: kubeflow, Name: "workflow-controller-configmap"}
	config, err := client.View().Get(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	theirs := "{ containerRuntimeExecutor: k8sapi }\n"
	edit := cluster.Edit(config, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, theirs, "data", "config")
	})
	if _, err := client.Do(ctx, edit, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	u := undoLast(t, ctx, client)
	for _, s := range u.Steps {
		if wanted := s.About.Identity() == ref.Identity(); wanted != (s.Outcome == doctor.Changed) {
			t.Errorf("%s: %s", s.About, s.Outcome)
		}
	}
	now, err := client.View().Get(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	if got := text(now.Object, "data", "config"); got != theirs {
		t.Errorf("their edit is gone: %q", got)
	}
}

func TestAnInterruptedFixIsFinishedByTheNext(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	cut, interrupt := context.WithCancel(ctx)
	_, err := doctor.Cure(cut, client, All(), doctor.CureOptions{Options: options(), Allow: []doctor.Impact{doctor.RestartsPods}, Wait: time.Minute, Now: time.Now, Progress: func(line string) {
		if strings.HasPrefix(line, "Set the workflow executor") { // the webhooks are changed, nothing is restarted yet
			interrupt()
		}
	}})
	if err == nil {
		t.Fatal("a fix that was interrupted says nothing of it")
	}
	runs, err := doctor.Runs(ctx, client)
	if err != nil || runs[0].Finished {
		t.Fatalf("the record of the interrupted run is %+v, %v", runs, err)
	}
	name := runs[0].Name
	cureWith(t, ctx, client, doctor.RestartsPods)
	want(t, ctx, client)
	if runs, err = doctor.Runs(ctx, client); err != nil || runs[0].Name != name || !runs[0].Finished {
		t.Errorf("the next fix did not go on with run %s: %+v, %v", name, runs[0], err)
	}
	undoLast(t, ctx, client)
	want(t, ctx, client, sick...)
}

func TestPodsOlderThanTheInjectorGetTheirSidecar(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	cureWith(t, ctx, client, doctor.RestartsPods)
	label := func(value string) {
		ns, err := client.View().Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: kubeflow})
		if err != nil {
			t.Fatal(err)
		}
		change := cluster.Edit(ns, func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, value, "metadata", "labels", "istio-injection")
		})
		if _, err := client.Do(ctx, change, cluster.Options{Manager: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	label("disabled")
	restart(t, ctx, client, "ml-pipeline-ui")
	label("enabled")
	want(t, ctx, client, "mesh/sidecars kubeflow", "mesh/destination-rules ml-pipeline-ui mesh/sidecars")
	r := cureWith(t, ctx, client, doctor.RestartsPods)
	if len(r.Fixes) != 1 || len(r.Fixes[0].Fix.Changes) != 1 {
		t.Errorf("%d fixes were made, want one that restarts one workload", len(r.Fixes))
	}
	want(t, ctx, client)
}

// restart makes a Deployment replace its pods and waits until the old ones are gone.
func restart(t *testing.T, ctx context.Context, client *cluster.Client, name string) {
	t.Helper()
	ref := cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: kubeflow, Name: name}
	d, err := client.View().Get(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	change := cluster.Edit(d, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, time.Now().String(), "spec", "template", "metadata", "annotations", "test")
	})
	if _, err := client.Do(ctx, change, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	for ready := false; !ready; time.Sleep(100 * time.Millisecond) {
		if d, err = client.View().Get(ctx, ref); err != nil {
			t.Fatal(err)
		}
		ready, _ = cluster.Ready(d)
	}
}

func TestASettingThatNewerArgoDoesNotKnowIsRemovedAndPutBack(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	ref := cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: kubeflow, Name: "workflow-controller"}
	controller, err := client.View().Get(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	newer := cluster.Edit(controller, func(o *unstructured.Unstructured) {
		setContainer(o, "workflow-controller", "image", "quay.io/argoproj/workflow-controller:v3.7.3")
	})
	if _, err := client.Do(ctx, newer, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	config := cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: kubeflow, Name: "workflow-controller-configmap"}
	read := func() string {
		o, err := client.View().Get(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		return text(o.Object, "data", "config")
	}
	before := read()
	cureWith(t, ctx, client, doctor.RestartsPods)
	want(t, ctx, client)
	if after := read(); strings.Contains(after, executorKey) || after == "" {
		t.Errorf("the configuration is now %q", after)
	}
	if undoLast(t, ctx, client); read() != before {
		t.Errorf("the configuration was %q and came back as %q", before, read())
	}
}
