package checks

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

func rendered(t *testing.T) []release.RenderedComponent {
	t.Helper()
	r, err := release.Render(context.Background(), release.Input{Release: "mini"}, release.RenderOptions{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return r.Components
}

func TestPatchedManifestsHaveNoFixesLeftOnAKS(t *testing.T) {
	objects := rendered(t)
	adapted, made, err := doctor.Adapt(context.Background(), All(), objects, doctor.TypicalNode())
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]int{}
	for _, a := range made {
		titles[a.Check]++
	}
	for _, id := range []string{"platform/admissions-enforcer", "pipelines/executor", "training/mpi-operator"} {
		if titles[id] == 0 {
			t.Errorf("nothing was adapted for %s: %v", id, titles)
		}
	}
	for i, component := range rendered(t) {
		for k, o := range component.Objects {
			if cluster.Diff(o, objects[i].Objects[k]) != "" {
				t.Errorf("%s was changed in place", cluster.RefOf(o))
			}
		}
	}
	_, again, err := doctor.Adapt(context.Background(), All(), adapted, doctor.TypicalNode())
	if err != nil || len(again) != 0 {
		t.Errorf("adapting twice makes %d more changes (%v)", len(again), err)
	}
}

func TestOutsideAKSOnlyGeneralFixesAreApplied(t *testing.T) {
	node := doctor.TypicalNode()
	node.SetLabels(nil)
	_ = unstructured.SetNestedField(node.Object, "docker://19.3.14", "status", "nodeInfo", "containerRuntimeVersion")
	_, made, err := doctor.Adapt(context.Background(), All(), rendered(t), node)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range made {
		if a.Check != "training/mpi-operator" && a.Check != "pipelines/images" {
			t.Errorf("%s: %s", a.Check, a.Title)
		}
	}
}
