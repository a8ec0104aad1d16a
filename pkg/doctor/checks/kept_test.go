package checks

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/bundle"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// bundled returns what a bundle of all that some checks read shows.
func bundled(t *testing.T, view cluster.View, chosen []*doctor.Check, s doctor.Settings) cluster.View {
	t.Helper()
	ctx := context.Background()
	recorder := bundle.Record(view)
	_, _ = recorder.Version(ctx)
	_, _ = recorder.Now(ctx)
	_ = doctor.Diagnose(ctx, recorder, chosen, doctor.Options{Settings: s})
	var out bytes.Buffer
	if _, err := recorder.Write(&out, bundle.Head{}, bundle.Options{Emails: true, Shipped: Public, Keep: Kept}); err != nil {
		t.Fatal(err)
	}
	saved, err := bundle.Open(&out)
	if err != nil {
		t.Fatal(err)
	}
	return saved.View()
}

func TestABundleKeepsTheFieldsThatChecksRead(t *testing.T) {
	n := 0
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		view, s := read(t, a)
		if s.Install != nil {
			return // a bundle is made of a cluster, not of an install
		}
		n++
		want := formatReport(runCheck(view, c, s))
		got := formatReport(runCheck(bundled(t, view, []*doctor.Check{c}, s), c, s))
		if source := strings.NewReplacer("the case", "this bundle"); source.Replace(got) != source.Replace(want) {
			t.Errorf("%s: %s reads a field that bundles do not keep, or not in this form: add it to Kept (kept.go). From the bundle:\n%s\nfrom the cluster:\n%s", path, c.ID, got, want)
		}
	})
	t.Logf("%d cases", n)
}

func TestTheNamesOfFieldsAreKnownWords(t *testing.T) {
	for _, name := range fieldNames() {
		if !redact.Known(name) && name != "fieldsV1" { // of managedFields, which no diff shows
			t.Errorf("the name of field %s is hidden in diffs: add its words to internal/redact/words.txt", name)
		}
	}
}
