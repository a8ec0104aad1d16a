package plan

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

var update = flag.Bool("update", false, "rewrite the expected plans")

// TestPlans reads testdata: what is wanted, what the cluster has, what is installed, and the plan that we want.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := planned(t, archive)
			for i, f := range archive.Files {
				if f.Name != "plan" {
					continue
				}
				if *update {
					archive.Files[i].Data = []byte(got)
					if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				if diff := cmp.Diff(string(f.Data), got); diff != "" {
					t.Errorf("the plan is another (-want +got):\n%s", diff)
				}
				return
			}
			t.Fatal("the case has no file named plan")
		})
	}
}

// planned makes the plan of a case and writes it down.
func planned(t *testing.T, archive *txtar.Archive) string {
	var live []*unstructured.Unstructured
	var have *inventory.Inventory
	request := Request{Name: "kubeflow", Namespace: "kubeflow"}
	for _, f := range archive.Files {
		switch {
		case f.Name == "live.yaml":
			live = kubetest.Objects(t, f.Data)
		case f.Name == "installed.yaml":
			have = &inventory.Inventory{Name: "kubeflow"}
			for _, o := range kubetest.Objects(t, f.Data) {
				have.Objects = append(have.Objects, inventory.Entry{Ref: cluster.RefOf(o)})
			}
		case strings.HasSuffix(f.Name, ".yaml"):
			name := strings.TrimSuffix(f.Name, ".yaml")
			request.Components = append(request.Components, release.RenderedComponent{Name: name, Objects: kubetest.Objects(t, f.Data)})
		}
	}
	plan, err := New(t.Context(), request, have, cluster.Objects("a test case", nil, live...), builtInKinds)
	if err != nil {
		t.Fatal(err)
	}
	return written(plan)
}

func written(plan *Plan) string {
	var out strings.Builder
	for _, g := range plan.Objects {
		fmt.Fprintf(&out, "%s (%s)", g.Ref(), g.Stage)
		if g.OpensGate {
			out.WriteString(" opens a gate")
		}
		out.WriteString("\n")
		for _, gate := range g.Gates {
			fmt.Fprintf(&out, "  %s: %s\n", gate.Kind, gate)
		}
	}
	for _, ref := range plan.Prune {
		fmt.Fprintf(&out, "delete %s\n", ref)
	}
	for _, ref := range plan.Keep {
		fmt.Fprintf(&out, "keep %s\n", ref)
	}
	for _, cycle := range plan.Cycles {
		fmt.Fprintf(&out, "cycle of %v\n", cycle.Objects)
		for _, gate := range cycle.Cut {
			fmt.Fprintf(&out, "  not waited for: %s\n", gate)
		}
	}
	return out.String()
}

var mapper = testrestmapper.TestOnlyStaticRESTMapper(scheme.Scheme)

// builtInKinds knows the kinds of Kubernetes itself, as a cluster without any definitions does.
func builtInKinds(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	switch kind.Kind {
	case "CustomResourceDefinition", "APIService": // in no scheme of client-go
		plural := strings.ToLower(kind.Kind) + "s"
		return &meta.RESTMapping{Resource: kind.GroupVersion().WithResource(plural), GroupVersionKind: kind, Scope: meta.RESTScopeRoot}, nil
	}
	return mapper.RESTMapping(kind.GroupKind(), kind.Version)
}
