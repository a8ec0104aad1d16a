package status

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

var update = flag.Bool("update", false, "rewrite the expected results")

// TestStatuses reads testdata: the inventory (without it, the status is of what is detected), the cluster's objects, the
// kinds that the user is not allowed to list, and the wanted status.
func TestStatuses(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".txtar"), "-", " "), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := caseStatus(t, archive)
			last := &archive.Files[len(archive.Files)-1]
			if last.Name != "want" {
				t.Fatal("the last file of a case must be the wanted status")
			}
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(last.Data), got); diff != "" {
				t.Errorf("unexpected status (-want +got):\n%s", diff)
			}
		})
	}
}

func caseStatus(t *testing.T, archive *txtar.Archive) string {
	var inv *inventory.Inventory
	view := forbidding{forbidden: map[string]bool{}}
	view.View = cluster.Objects("the case", nil)
	for _, f := range archive.Files {
		switch f.Name {
		case "cluster.yaml":
			view.View = cluster.Objects("the case", nil, kubetest.Objects(t, f.Data)...)
		case "forbidden":
			for kind := range strings.FieldsSeq(string(f.Data)) {
				view.forbidden[kind] = true
			}
		case "inventory.yaml":
			inv = &inventory.Inventory{Name: "kubeflow"}
			if err := yaml.Unmarshal(f.Data, &inv.Objects); err != nil {
				t.Fatal(err)
			}
		}
	}
	if inv == nil {
		var err error
		if inv, err = Detect(t.Context(), view); err != nil {
			t.Fatal(err)
		}
		if inv == nil {
			return "there is no Kubeflow\n"
		}
	}
	status, err := Read(t.Context(), view, inv, Options{Tree: true, All: len(inv.Objects) < 3})
	if err != nil {
		t.Fatal(err)
	}
	return formatStatus(status)
}

// formatStatus writes a status as text.
func formatStatus(s *Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ready=%t blind=%t objects %s workloads %s\n", s.Ready, s.Inconclusive(), formatReadiness(s.Objects), formatReadiness(s.Workloads))
	for _, c := range s.Components {
		fmt.Fprintf(&b, "%s %s: objects %s, workloads %s\n", c.State, c.Name, formatReadiness(c.Objects), formatReadiness(c.Workloads))
		writeItems(&b, c.Items, "  ")
	}
	if len(s.Unread) > 0 {
		fmt.Fprintf(&b, "unread: %s\n", strings.Join(s.Unread, ", "))
	}
	return b.String()
}

func formatReadiness(c Readiness) string { return fmt.Sprintf("%d/%d?%d", c.Ready, c.Total, c.Unknown) }

func writeItems(b *strings.Builder, list []Object, indent string) {
	for _, item := range list {
		fmt.Fprintf(b, "%s%s %s %s\n", indent, item.State, item.Ref, item.Why)
		writeItems(b, item.Owned, indent+"  ")
	}
}

// A forbidding view forbids listing some kinds.
type forbidding struct {
	cluster.View
	forbidden map[string]bool
}

func (v forbidding) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	if v.forbidden[kind.Kind] {
		return nil, apierrors.NewForbidden(schema.GroupResource{Resource: kind.Kind}, "", nil)
	}
	return v.View.List(ctx, kind, in)
}
