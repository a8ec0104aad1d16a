package checks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/controllers"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/installation"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/pods"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/references"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// TestDoctorIsNeverGreenerThanStatus takes each release as a healthy cluster, on which the checks of what does not run are silent. Then it
// breaks objects at random: whatever status calls not ready, missing or changed, a finding names.
func TestDoctorIsNeverGreenerThanStatus(t *testing.T) {
	mirror := kubetest.Mirror(t)
	random := rand.New(rand.NewPCG(17, 1))
	broken := 0
	for _, name := range []string{"1.2.0", "1.8.1", "1.9.1", "1.10.2", "26.03"} {
		rendered, err := release.Render(t.Context(), release.Input{Release: name}, release.RenderOptions{Mirror: mirror, SkipVerify: true, CacheDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		healthy := running(rendered.Objects())
		inv := &inventory.Inventory{Name: "kubeflow", Release: name}
		for _, o := range healthy {
			e := inventory.Entry{Ref: cluster.RefOf(o), Component: "all", Applied: "x"}
			if kind := o.GetKind(); kind == "Deployment" || kind == "StatefulSet" {
				e.Replicas = kube.Replicas(o)
				e.Stopped = e.Replicas == 0
			}
			inv.Objects = append(inv.Objects, e)
		}
		if report, _ := greener(t, healthy, inv); report.Worst().AtLeast(doctor.Warning) {
			t.Errorf("%s is healthy, and the checks find:\n%s", name, foundIn(report))
		}
		for range 40 {
			objects := breakSome(random, healthy)
			report, unready := greener(t, objects, inv)
			broken += len(unready)
			for _, ref := range unready {
				if !names(report, ref) {
					t.Errorf("%s: status calls %s not ready, and doctor does not name it:\n%s", name, ref, foundIn(report))
				}
			}
		}
	}
	t.Logf("%d broken objects, each named", broken)
}

// TestReleasesThatRunHaveNoBrokenReferences takes each release as a healthy cluster: what is read of one is less than of manifests.
func TestReleasesThatRunHaveNoBrokenReferences(t *testing.T) {
	mirror := kubetest.Mirror(t)
	for _, name := range []string{"1.2.0", "1.8.1", "1.9.1", "1.10.2", "26.03"} {
		rendered, err := release.Render(t.Context(), release.Input{Release: name}, release.RenderOptions{Mirror: mirror, SkipVerify: true, CacheDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		healthy := running(rendered.Objects())
		live := cluster.Saved("the test", cluster.Memory{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Version: &version.Info{GitVersion: "v1.35.4"}}, healthy...)
		for _, c := range []*doctor.Check{references.Names, controllers.Conditions} {
			if got := runCheck(live, c, doctor.Settings{}); slices.ContainsFunc(got.Findings, func(f doctor.Finding) bool { return f.Severity.AtLeast(doctor.Warning) }) {
				t.Errorf("%s is healthy, and %s finds:\n%s", name, c.ID, formatReport(got))
			}
		}
	}
}

// greener returns what the checks find, and what status calls not ready.
func greener(t *testing.T, objects []*unstructured.Unstructured, inv *inventory.Inventory) (*doctor.Report, []cluster.Ref) {
	t.Helper()
	view := cluster.Saved("the test", cluster.Memory{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Version: &version.Info{GitVersion: "v1.35.4"}}, objects...)
	read, err := status.Read(t.Context(), view, inv, status.Options{All: true})
	if err != nil {
		t.Fatal(err)
	}
	known := &doctor.Inspection{Recorded: true, Release: inv.Release}
	entries := inv.Entries()
	var unready []cluster.Ref
	for _, c := range read.Components {
		for _, item := range c.Items {
			e := entries[item.Ref.Identity()]
			known.Objects = append(known.Objects, doctor.Inspected{Ref: item.Ref, Component: c.Name, State: string(item.State), Why: item.Why, Replicas: e.Replicas, Stopped: e.Stopped})
			if item.State != status.Ready {
				unready = append(unready, item.Ref)
			}
		}
	}
	chosen := []*doctor.Check{installation.Complete, installation.Drift, pods.Crashes, pods.Ready, workloads.Available}
	return doctor.Diagnose(t.Context(), view, chosen, doctor.Options{Settings: doctor.Settings{
		Inspect: func(context.Context, cluster.View) (*doctor.Inspection, error) { return known, nil },
	}}), unready
}

// running returns rendered objects as they are when everything is ready.
func running(rendered []*unstructured.Unstructured) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for i, o := range rendered {
		o = o.DeepCopy()
		o.SetUID(types.UID(fmt.Sprint("u", i)))
		o.SetGeneration(1)
		n := kube.Replicas(o)
		ok := func(kinds ...string) []any {
			var list []any
			for _, kind := range kinds {
				list = append(list, map[string]any{"type": kind, "status": "True", "reason": "NewReplicaSetAvailable"})
			}
			return list
		}
		set := func(s map[string]any) { o.Object["status"] = s }
		switch o.GetKind() {
		case "Deployment", "StatefulSet":
			set(map[string]any{"observedGeneration": int64(1), "replicas": n, "updatedReplicas": n, "readyReplicas": n, "availableReplicas": n, "currentReplicas": n, "conditions": ok("Available", "Progressing")})
		case "DaemonSet":
			set(map[string]any{"observedGeneration": int64(1), "desiredNumberScheduled": int64(1), "currentNumberScheduled": int64(1), "updatedNumberScheduled": int64(1), "numberReady": int64(1), "numberAvailable": int64(1)})
		case "Job":
			set(map[string]any{"succeeded": int64(1), "startTime": "2026-03-01T11:00:00Z", "conditions": ok("Complete")})
		case "CustomResourceDefinition":
			set(map[string]any{"conditions": ok("NamesAccepted", "Established")})
		case "PersistentVolumeClaim":
			set(map[string]any{"phase": "Bound"})
		case "APIService":
			set(map[string]any{"conditions": ok("Available")})
		case "Certificate", "Issuer", "ClusterIssuer":
			set(map[string]any{"conditions": ok("Ready")})
		}
		all = append(all, o)
	}
	return all
}

// breakSome scales some objects to zero, deletes some, and makes some wait.
func breakSome(random *rand.Rand, healthy []*unstructured.Unstructured) []*unstructured.Unstructured {
	all := slices.Clone(healthy)
	for range 1 + random.IntN(4) {
		i := random.IntN(len(all))
		if all[i].GetKind() == "CustomResourceDefinition" {
			continue // without it the objects of its kind cannot be listed
		}
		o := all[i].DeepCopy()
		workload := o.GetKind() == "Deployment" || o.GetKind() == "StatefulSet"
		switch how := random.IntN(4); {
		case !workload || how == 0:
			all = slices.Delete(all, i, i+1)
			continue
		case how == 1:
			_ = unstructured.SetNestedField(o.Object, int64(0), "spec", "replicas")
			for _, field := range []string{"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"} {
				_ = unstructured.SetNestedField(o.Object, int64(0), "status", field)
			}
		default:
			reason := []string{"CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError", "ContainerCreating"}[random.IntN(4)]
			for _, field := range []string{"readyReplicas", "availableReplicas"} {
				_ = unstructured.SetNestedField(o.Object, int64(0), "status", field)
			}
			all = append(all, waitingPod(o, reason))
		}
		all[i] = o
	}
	return all
}

func waitingPod(workload *unstructured.Unstructured, reason string) *unstructured.Unstructured {
	own, _, _ := unstructured.NestedMap(workload.Object, "spec", "template", "metadata", "labels")
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": workload.GetName() + "-x", "generateName": workload.GetName() + "-", "namespace": workload.GetNamespace(), "labels": own, "creationTimestamp": "2026-03-01T11:00:00Z"},
		"spec":     map[string]any{"nodeName": "n", "containers": []any{map[string]any{"name": "main", "image": "example.com/a:1"}}},
		"status": map[string]any{"phase": "Pending", "conditions": []any{map[string]any{"type": "PodScheduled", "status": "True"}},
			"containerStatuses": []any{map[string]any{"name": "main", "state": map[string]any{"waiting": map[string]any{"reason": reason}}}}},
	}}
}

// names reports whether a finding is about an object, or affects it.
func names(r *doctor.Report, ref cluster.Ref) bool {
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if f.About.Ref.Identity() == ref.Identity() || slices.ContainsFunc(f.Affects, func(a cluster.Ref) bool { return a.Identity() == ref.Identity() }) {
				return true
			}
		}
	}
	return false
}

func foundIn(r *doctor.Report) (out string) {
	for _, c := range r.Checks {
		out += c.ID + " " + formatReport(c)
	}
	return out
}
