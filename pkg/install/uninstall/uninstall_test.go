package uninstall

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

var update = flag.Bool("update", false, "rewrite the expected results")

// TestRemovals reads testdata: what was installed (installed.yaml), what else is on the cluster (others.yaml), what another
// installation also lists (shared.yaml), what was created (later.yaml) or deleted (gone.yaml) after the user confirmed, and
// the wanted plan without and with --delete-data.
func TestRemovals(t *testing.T) {
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
			compared := 0
			for i, f := range archive.Files {
				if f.Name != "removal" && f.Name != "removal with --delete-data" {
					continue
				}
				compared++
				got := removed(t, archive, f.Name != "removal")
				archive.Files[i].Data = []byte(got)
				if diff := cmp.Diff(string(f.Data), got); diff != "" && !*update {
					t.Errorf("unexpected %s (-want +got):\n%s", f.Name, diff)
				}
			}
			if compared == 0 {
				t.Fatal("the case has no file named removal")
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// removed decides a case and formats the plan.
func removed(t *testing.T, archive *txtar.Archive, deleteData bool) string {
	t.Helper()
	request := Request{Inventory: &inventory.Inventory{Name: "kubeflow", Live: &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"uid": "record"}}}}, DeleteData: deleteData}
	var live, later, gone []*unstructured.Unstructured
	for _, f := range archive.Files {
		switch f.Name {
		case "later.yaml":
			later = kubetest.Objects(t, f.Data)
		case "gone.yaml":
			gone = kubetest.Objects(t, f.Data)
		case "installed.yaml":
			for _, o := range kubetest.Objects(t, f.Data) {
				request.Inventory.Objects = append(request.Inventory.Objects, inventory.Entry{Ref: cluster.RefOf(o), Applied: "a", Fields: "b"})
				if len(o.GetManagedFields()) == 0 {
					o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: inventory.Manager, Operation: metav1.ManagedFieldsOperationApply}})
				}
				live = append(live, o)
			}
		case "others.yaml":
			live = append(live, kubetest.Objects(t, f.Data)...)
		case "shared.yaml":
			other := &inventory.Inventory{Name: "other"}
			for _, o := range kubetest.Objects(t, f.Data) {
				other.Objects = append(other.Objects, inventory.Entry{Ref: cluster.RefOf(o)})
			}
			request.Others = append(request.Others, other)
		}
	}
	if len(later)+len(gone) > 0 {
		request.Agreed = Decide(request, surveyOf(t, append(gone, live...)))
	}
	return writtenRemoval(Decide(request, surveyOf(t, append(live, later...))))
}

// surveyOf returns a Snapshot of a cluster with these objects.
func surveyOf(t *testing.T, live []*unstructured.Unstructured) *Snapshot {
	t.Helper()
	var kinds []cluster.Kind
	for _, o := range live {
		if o.GetUID() == "" {
			o.SetUID(types.UID(cluster.RefOf(o).String()))
		}
		kind := o.GroupVersionKind()
		plural, _ := meta.UnsafeGuessKindToResource(kind)
		k := cluster.Kind{GroupKind: kind.GroupKind(), Resource: plural.Resource, Namespaced: o.GetNamespace() != ""}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	survey, err := newSnapshot(t.Context(), cluster.Objects("a test case", nil, live...), kinds)
	if err != nil {
		t.Fatal(err)
	}
	return survey
}

func writtenRemoval(r *Plan) string {
	var out strings.Builder
	for _, wave := range r.Waves {
		fmt.Fprintf(&out, "%s:\n", wave.Title)
		for _, o := range wave.Objects {
			fmt.Fprintf(&out, "  %s\n", cluster.RefOf(o))
		}
	}
	for _, ref := range r.Beyond {
		fmt.Fprintf(&out, "outside %s\n", ref)
	}
	for _, kept := range r.Keep {
		fmt.Fprintf(&out, "keep %s: %s", kept.Ref, kept.Why)
		if !kept.Listed {
			out.WriteString(" (forgotten)")
		}
		out.WriteString("\n")
	}
	for _, left := range r.LeftOvers {
		fmt.Fprintf(&out, "left over %s: %s\n", left.Ref, left.Why)
	}
	for _, v := range r.Data.Volumes {
		fmt.Fprintf(&out, "volume %s/%s %s %s\n", v.Namespace, v.Name, v.Size, v.Retained)
	}
	if len(r.Data.Profiles)+len(r.Data.Namespaces)+len(r.Data.Objects) > 0 {
		fmt.Fprintf(&out, "profiles %v, namespaces %v, objects %v\n", r.Data.Profiles, r.Data.Namespaces, r.Data.Objects)
	}
	return out.String()
}
