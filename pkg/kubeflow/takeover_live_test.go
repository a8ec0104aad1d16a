//go:build unix

package kubeflow_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

type applier struct {
	manager string
	verb    cluster.Verb
	mark    func(o *unstructured.Unstructured)
	adopted bool // only with --adopt
}

// earlier are the programs that put Kubeflow on the cluster before, each with the marks that it leaves on objects.
var earlier = []applier{
	{"kubectl", cluster.Apply, func(*unstructured.Unstructured) {}, false},
	{"kubectl-client-side-apply", cluster.Create, func(o *unstructured.Unstructured) {
		annotate(o, "kubectl.kubernetes.io/last-applied-configuration", "{}\n")
	}, false},
	{"kfctl", cluster.Create, func(o *unstructured.Unstructured) {
		label(o, "app.kubernetes.io/managed-by", "kfctl")
		annotate(o, "kfctl.kubeflow.io/kfdef-instance", "my-kubeflow.kubeflow")
	}, false},
	{"argocd-controller", cluster.Create, func(o *unstructured.Unstructured) {
		annotate(o, "argocd.argoproj.io/tracking-id", "kubeflow:"+o.GroupVersionKind().Group+"/"+o.GetKind()+":"+o.GetNamespace()+"/"+o.GetName())
	}, true},
	{"kustomize-controller", cluster.Apply, func(o *unstructured.Unstructured) {
		label(o, "kustomize.toolkit.fluxcd.io/name", "kubeflow")
		label(o, "kustomize.toolkit.fluxcd.io/namespace", "flux-system")
	}, true},
}

func label(o *unstructured.Unstructured, key, value string) {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[key] = value
	o.SetLabels(labels)
}

func annotate(o *unstructured.Unstructured, key, value string) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	o.SetAnnotations(annotations)
}

// TestTakingOverWhatOthersAppliedEndsHealthy applies a release in a loop, as a person or a GitOps tool does, with the admissions enforcer on, and
// takes it over: kubectl, kfctl, Argo CD and Flux each applied some components. What they left behind is fixed, and nothing is theirs anymore.
func TestTakingOverWhatOthersAppliedEndsHealthy(t *testing.T) {
	folder := kubetest.Mirror(t)
	client := newCluster(t, "1.35")
	source := kubeflow.Source{Release: "1.10.2", Mirror: folder, SkipVerify: true}
	rendered, err := kubeflow.PrepareManifests(t.Context(), kubeflow.InstallOptions{Source: source, Adapt: "none"})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]int{} // component → earlier
	var adopt []string
	for i, component := range rendered.Stages() {
		by[component] = i % len(earlier)
		if earlier[by[component]].adopted {
			adopt = append(adopt, component)
		}
	}
	var objects []*unstructured.Unstructured
	var managers []int
	for _, g := range rendered.Objects {
		o := g.Object.DeepCopy()
		label(o, "obsolete", "true")
		earlier[by[g.Stage]].mark(o)
		objects, managers = append(objects, o), append(managers, by[g.Stage])
	}
	applyInALoop(t, client, objects, managers)

	refused, err := kubeflow.PrepareInstall(t.Context(), client.Client, kubeflow.InstallOptions{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	for _, manager := range []string{"Argo CD, Application kubeflow", "Flux, Kustomization kubeflow"} {
		if !strings.Contains(fmt.Sprint(refused.Refused), manager) {
			t.Errorf("without --adopt, %s is not named: %v", manager, refused.Refused)
		}
	}
	plan, err := kubeflow.PrepareInstall(t.Context(), client.Client, kubeflow.InstallOptions{Source: source, Adopt: adopt})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Refused != nil {
		t.Fatal(plan.Refused)
	}
	if _, err := plan.Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: 8 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	report, err := plan.Settle(t.Context(), kubeflow.SettleOptions{Timeout: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if found := errorsIn(report); len(found) > 0 {
		t.Errorf("doctor finds %v", found)
	}
	fixed := 0
	for _, f := range report.Fixes {
		if f.Outcome == doctor.Fixed {
			fixed++
		}
	}
	if fixed == 0 {
		t.Error("nothing that the loop left behind was fixed: the enforcer was off, or the test is")
	}
	nothingOfOthers(t, client, objects)
	again, err := kubeflow.PrepareInstall(t.Context(), client.Client, kubeflow.InstallOptions{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	if again.Refused != nil || again.Writes() != 0 {
		t.Errorf("the same install again writes %d objects: %v (refused: %v)", again.Writes(), again.Steps(), again.Refused)
		for _, g := range again.Objects {
			if g.Verdict != nil && !g.Unchanged {
				t.Logf("%s: %s %s", g.Ref(), g.Verdict.Action, g.Verdict.Diff)
			}
		}
	}
	t.Logf("%d objects taken over, %d fixes", len(objects), fixed)
}

// applyInALoop applies objects as the guide's loop does: all of them, again and again, until none fails.
func applyInALoop(t *testing.T, client testCluster, objects []*unstructured.Unstructured, managers []int) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	left := make([]int, len(objects))
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		client.Forget()
		var mu sync.Mutex
		var failed []int
		var last error
		var wait sync.WaitGroup
		slots := make(chan struct{}, 24)
		for _, i := range left {
			slots <- struct{}{}
			wait.Go(func() {
				defer func() { <-slots }()
				who := earlier[managers[i]]
				_, err := client.Do(ctx, cluster.Change{Verb: who.verb, After: objects[i]}, cluster.Options{Manager: who.manager, Force: true})
				if err != nil && !apierrors.IsAlreadyExists(err) {
					mu.Lock()
					failed, last = append(failed, i), err
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		slices.Sort(failed)
		left = failed
		if ctx.Err() != nil {
			t.Fatalf("%d objects could not be applied, the last one because: %v", len(left), last)
		}
		if len(left) > 0 {
			time.Sleep(time.Second)
		}
	}
}

// nothingOfOthers checks that no object has a field manager, a label or an annotation of whoever applied it before. Namespaces, CRDs and PVCs, which
// an uninstall keeps, lose no field, nor does an object of which the manifests set none.
func nothingOfOthers(t *testing.T, client testCluster, objects []*unstructured.Unstructured) {
	t.Helper()
	client.Forget()
	view := client.View()
	theirs, marked := 0, 0
	for _, was := range objects {
		is, err := view.Get(t.Context(), cluster.RefOf(was))
		if err != nil {
			t.Errorf("%s: %v", cluster.RefOf(was), err)
			continue
		}
		if plan.Retained(cluster.RefOf(was)) || is.GetAnnotations()["kubectl-kubeflow/installed"] != "" { // the latter has no field that an install sets
			continue
		}
		if slices.ContainsFunc(is.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
			return f.Subresource == "" && slices.ContainsFunc(earlier, func(e applier) bool { return e.manager == f.Manager })
		}) {
			if theirs++; theirs <= 3 {
				t.Errorf("%s still has fields of an earlier manager: %v", cluster.RefOf(is), is.GetManagedFields())
			}
		}
		labels, annotations := is.GetLabels(), is.GetAnnotations()
		if labels["obsolete"] != "" || labels["kustomize.toolkit.fluxcd.io/name"] != "" || labels["app.kubernetes.io/managed-by"] == "kfctl" || annotations["argocd.argoproj.io/tracking-id"] != "" || annotations["kfctl.kubeflow.io/kfdef-instance"] != "" {
			if marked++; marked <= 3 {
				t.Errorf("%s still has marks of an earlier manager: %v %v", cluster.RefOf(is), labels, annotations)
			}
		}
	}
	if theirs+marked > 0 {
		t.Errorf("of %d objects, %d still have fields and %d marks of earlier managers", len(objects), theirs, marked)
	}
}
