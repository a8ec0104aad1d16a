package checks

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime/schema"

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
		if s.Install != nil || c.Manifests || len(c.Rendered) > 0 && file(a, "version") == "" {
			return // a bundle is made of a cluster, not of an install or of manifests
		}
		if path == "auth/testdata/sign-in/cookie-secret-too-short.txtar" {
			return // a bundle keeps of a secret whether it equals another, and not its length
		}
		if c.Reach == doctor.OneNamespace {
			return // nor of one namespace
		}
		if s.PasswordUser != "" {
			return // what a user asks to be changed is on a cluster
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

const keptPage = "../../../docs/bundle.md"

func TestThePageOfKeptFieldsIsCurrent(t *testing.T) {
	content := pageOfKept()
	if *update {
		if err := os.WriteFile(keptPage, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(keptPage); err != nil || string(got) != content {
		t.Errorf("docs/bundle.md is out of date (%v); make golden rewrites it", err)
	}
	for kind, fields := range Kept {
		for _, field := range fields {
			if _, form, _ := strings.Cut(field, " "); redact.Forms[form] == "" {
				t.Errorf("%s: the form of %s has no explanation", kind, field)
			}
		}
	}
}

func pageOfKept() string {
	var b strings.Builder
	b.WriteString("# What a bundle holds\n\n`kubectl kubeflow bundle` saves the fields below, and nothing else, of the objects that checks read. `{a,b}` is both fields, `*` each key, `**` everything below.\n" +
		"The word after a field is the form that its values must have. All others are replaced by `redacted-N`, equal ones alike; what Kubeflow ships with is kept.\n" +
		"Names of objects, images, hosts and node pools stay, so look at a bundle before you publish it.\n\n## Forms\n\n| form | values that are kept |\n|---|---|\n")
	for _, form := range slices.Sorted(maps.Keys(redact.Forms)) {
		fmt.Fprintf(&b, "| %s | %s |\n", cmp.Or(form, "(none)"), redact.Forms[form])
	}
	b.WriteString("\n## Every kind\n\n" + fieldList(metadata) + "\nOf kinds that are not below, only these are kept.\n")
	kinds := slices.SortedFunc(maps.Keys(Kept), func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	for _, kind := range kinds {
		if kind == redact.Other {
			continue
		}
		title := kind.String()
		if kind.Kind == "*" {
			title = "other kinds of " + kind.Group
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s", title, fieldList(Kept[kind][len(metadata):]))
	}
	b.WriteString("\nA test generates this page from the table that bundles are written with (pkg/doctor/checks/kept.go); `make golden` rewrites it.\n")
	return b.String()
}

func fieldList(fields []string) string {
	var b strings.Builder
	for _, field := range fields {
		path, form, _ := strings.Cut(field, " ")
		fmt.Fprintf(&b, "- `%s` %s", path, form)
		b.WriteString("\n")
	}
	return strings.ReplaceAll(b.String(), "` \n", "`\n")
}
