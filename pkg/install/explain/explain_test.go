package explain

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

var update = flag.Bool("update", false, "rewrite the expected results")

// TestWhyNot reads testdata: the objects on a cluster, and the explanation for the first one. If that is a webhook, the
// explanation is the one for its gate.
func TestWhyNot(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(archive.Files); i += 2 {
			live, want := archive.Files[i], archive.Files[i+1]
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+live.Name, func(t *testing.T) {
				objects := kubetest.Objects(t, live.Data)
				view := cluster.Objects("a test", nil, objects...)
				got := ByRef(t.Context(), view, cluster.RefOf(objects[0]))
				if gates := plan.Webhooks(objects[0]); len(gates) > 0 {
					got = Gate(t.Context(), view, gates[0].Gate)
				}
				if *update {
					archive.Files[i+1].Data = []byte(got + "\n")
					return
				}
				if diff := cmp.Diff(strings.TrimSpace(string(want.Data)), got); diff != "" {
					t.Errorf("another reason is given (-want +got):\n%s", diff)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
