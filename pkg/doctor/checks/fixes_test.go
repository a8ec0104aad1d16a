package checks

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
)

func TestGuideInstallationIsFixedUndoneAndFixedAgain(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	client := connect(t, ctx)
	r := fixWith(t, ctx, client)
	if n := outcomes(r); n[doctor.Refused] != 1 || n[doctor.Fixed] == 0 || n[doctor.Failed]+n[doctor.Remains]+n[doctor.Worse] > 0 {
		t.Errorf("without permission to restart pods the outcomes are %v, want all fixed but one refused", n)
	}
	expectFindings(t, ctx, client, problems[:6]...)

	r = fixWith(t, ctx, client, doctor.RestartsPods)
	if n := outcomes(r); n[doctor.Fixed] != 1 || len(r.Fixes) != 1 {
		t.Errorf("the outcomes are %v, want the remaining one fixed", n)
	}
	expectFindings(t, ctx, client)
	before := resourceVersions(t, ctx, client)
	if r = fixWith(t, ctx, client, doctor.RestartsPods); len(r.Fixes) != 0 {
		t.Errorf("fixing a healthy installation made %d fixes", len(r.Fixes))
	}
	if after := resourceVersions(t, ctx, client); !slices.Equal(before, after) {
		t.Errorf("a second fix changed objects: %v became %v", before, after)
	}

	for range 2 {
		if u := undoLast(t, ctx, client); !u.Whole() {
			t.Errorf("the undo is incomplete: %+v", u.Steps)
		}
		runs, err := fixes.Runs(ctx, client)
		if err != nil || !runs[0].Undone {
			t.Fatalf("the run is not marked as undone: %v", err)
		}
		deleteRecord(t, ctx, client, runs[0])
	}
	expectFindings(t, ctx, client, problems...)

	fixWith(t, ctx, client, doctor.RestartsPods)
	expectFindings(t, ctx, client)
}

func resourceVersions(t *testing.T, ctx context.Context, client *cluster.Client) []string {
	t.Helper()
	var versions []string
	view := client.View()
	list, err := view.List(ctx, kube.MutatingWebhookConfigurationKind, cluster.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	maps, err := view.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: workloads.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range append(slices.Clone(list), maps...) {
		versions = append(versions, o.GetName()+" "+o.GetResourceVersion())
	}
	return versions
}

func TestDisabledRuleIsRestoredAndHealthyRulesAreUnchanged(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	fixWith(t, ctx, client, doctor.RestartsPods)
	rules := func() map[string]string {
		list, err := client.View().List(ctx, schema.GroupKind{Group: "networking.istio.io", Kind: "DestinationRule"}, cluster.Scope{Namespace: workloads.Namespace})
		if err != nil {
			t.Fatal(err)
		}
		versions := map[string]string{}
		for _, o := range list {
			versions[o.GetName()] = o.GetResourceVersion()
		}
		return versions
	}
	rule, err := client.View().Get(ctx, cluster.Ref{APIVersion: "networking.istio.io/v1alpha3", Kind: "DestinationRule", Namespace: workloads.Namespace, Name: "ml-pipeline-ui"})
	if err != nil {
		t.Fatal(err)
	}
	before := rules()
	disable := cluster.Edit(rule, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, "DISABLE", "spec", "trafficPolicy", "tls", "mode")
	})
	if _, err := client.Do(ctx, disable, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	expectFindings(t, ctx, client, "mesh/destination-rules ml-pipeline-ui")
	fixWith(t, ctx, client)
	expectFindings(t, ctx, client)
	for name, version := range rules() {
		if touched := version != before[name]; touched != (name == "ml-pipeline-ui") {
			t.Errorf("rule %s went from version %s to %s", name, before[name], version)
		}
	}
}

func TestUndoKeepsLaterChanges(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	fixWith(t, ctx, client, doctor.RestartsPods)
	ref := cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: workloads.Namespace, Name: "workflow-controller-configmap"}
	config, err := client.View().Get(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	edited := "{ containerRuntimeExecutor: k8sapi }\n"
	edit := cluster.Edit(config, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, edited, "data", "config")
	})
	if _, err := client.Do(ctx, edit, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	u := undoLast(t, ctx, client)
	for _, s := range u.Steps {
		if wanted := s.About.Identity() == ref.Identity(); wanted != (s.Outcome == fixes.Changed) {
			t.Errorf("%s: %s", s.About, s.Outcome)
		}
	}
	now, err := client.View().Get(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	if got := kube.Text(now.Object, "data", "config"); got != edited {
		t.Errorf("the later edit was lost: %q", got)
	}
}

func TestInterruptedFixIsFinishedByTheNext(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	cut, interrupt := context.WithCancel(ctx)
	_, err := fixes.Apply(cut, client, All(), fixes.Options{Options: options(), Allow: []doctor.Impact{doctor.RestartsPods}, Wait: time.Minute, Now: time.Now, Progress: func(line string) {
		if strings.HasPrefix(line, "Set the workflow executor") { // the webhooks are changed, nothing is restarted yet
			interrupt()
		}
	}})
	if err == nil {
		t.Fatal("an interrupted fix returned no error")
	}
	runs, err := fixes.Runs(ctx, client)
	if err != nil || runs[0].Finished {
		t.Fatalf("the record of the interrupted run is %+v, %v", runs, err)
	}
	name := runs[0].Name
	fixWith(t, ctx, client, doctor.RestartsPods)
	expectFindings(t, ctx, client)
	if runs, err = fixes.Runs(ctx, client); err != nil || runs[0].Name != name || !runs[0].Finished {
		t.Errorf("the next fix did not resume run %s: %+v, %v", name, runs[0], err)
	}
	if len(runs[0].Steps) == 0 {
		t.Error("the run records no changes")
	}
	undoLast(t, ctx, client)
	expectFindings(t, ctx, client, problems...)
}

func TestPodsOlderThanTheInjectorGetASidecar(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	fixWith(t, ctx, client, doctor.RestartsPods)
	label := func(value string) {
		ns, err := client.View().Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: workloads.Namespace})
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
	expectFindings(t, ctx, client, "mesh/sidecars kubeflow", "mesh/destination-rules ml-pipeline-ui mesh/sidecars")
	r := fixWith(t, ctx, client, doctor.RestartsPods)
	if len(r.Fixes) != 1 || len(r.Fixes[0].Fix.Changes) != 1 {
		t.Errorf("%d fixes were made, want one that restarts one workload", len(r.Fixes))
	}
	expectFindings(t, ctx, client)
}

// restart makes a Deployment replace its pods and waits until the old ones are gone.
func restart(t *testing.T, ctx context.Context, client *cluster.Client, name string) {
	t.Helper()
	ref := cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: name}
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

func TestUnsupportedArgoSettingIsRemovedAndRestored(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	ref := cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "workflow-controller"}
	controller, err := client.View().Get(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	newer := cluster.Edit(controller, func(o *unstructured.Unstructured) {
		kube.TemplateContainer(o, "workflow-controller")["image"] = "quay.io/argoproj/workflow-controller:v3.7.3"
	})
	if _, err := client.Do(ctx, newer, cluster.Options{Manager: "test"}); err != nil {
		t.Fatal(err)
	}
	config := cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: workloads.Namespace, Name: "workflow-controller-configmap"}
	read := func() string {
		o, err := client.View().Get(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		return kube.Text(o.Object, "data", "config")
	}
	before := read()
	fixWith(t, ctx, client, doctor.RestartsPods)
	expectFindings(t, ctx, client)
	if after := read(); strings.Contains(after, "containerRuntimeExecutor") || after == "" {
		t.Errorf("the configuration is now %q", after)
	}
	if undoLast(t, ctx, client); read() != before {
		t.Errorf("the configuration was %q and was restored as %q", before, read())
	}
}

func TestNothingChangesWithoutPermissionToWriteTheRecord(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	applyAll(t, ctx, client, objects(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: User, name: reader, apiGroup: rbac.authorization.k8s.io}]`))
	reader := clientOf(t, "reader")
	before := resourceVersions(t, ctx, client)
	r, err := fixes.Apply(ctx, reader, All(), fixes.Options{Options: options(), Wait: time.Minute, Now: time.Now})
	if !apierrors.IsForbidden(err) || len(r.Fixes) > 0 && r.Fixes[0].Run != "" {
		t.Errorf("the error is %v, the fixes are %+v", err, r.Fixes)
	}
	if after := resourceVersions(t, ctx, client); !slices.Equal(before, after) {
		t.Errorf("objects changed: %v became %v", before, after)
	}
}
