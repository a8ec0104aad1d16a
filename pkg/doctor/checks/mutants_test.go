package checks

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/mutants"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// No release has a reference that leads nowhere or an object that the API server refuses. Of the references and values that are broken in
// it, one at a time, nine of ten are explained. "make bench" breaks more of them, and asks an API server which values are faults;
// testdata/refused has its answers.
func TestNineOfTenMutantsOfReleasesAreExplained(t *testing.T) {
	mirror := kubetest.Mirror(t)
	chosen, err := Find("references", "manifests")
	if err != nil {
		t.Fatal(err)
	}
	for name, each := range map[string]int{"1.2.0": 60, "1.8.1": 0, "1.9.1": 0, "1.10.2": 60, "26.03": 60} {
		rendered, err := release.Render(t.Context(), release.Input{Release: name}, release.RenderOptions{Mirror: mirror, SkipVerify: true, CacheDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		objects := rendered.Objects()
		for text := range said(objects, chosen) {
			t.Errorf("%s: %s", name, text)
		}
		all := append(mutants.References(1, each, objects), refusedOf(t, name, each, objects)...)
		hits := 0
		for _, m := range all {
			var fresh []string
			for text := range said(m.Apply(objects), chosen) {
				fresh = append(fresh, text)
			}
			if m.Explained(fresh) {
				hits++
			} else {
				t.Logf("%s: not explained: %s", name, m)
			}
		}
		t.Logf("%s: %d of %d mutants explained", name, hits, len(all))
		if 10*hits < 9*len(all) {
			t.Errorf("%s: only %d of %d mutants are explained", name, hits, len(all))
		}
	}
}

// refusedOf returns some mutants of a release that an API server refused.
func refusedOf(t *testing.T, name string, most int, objects []*unstructured.Unstructured) []mutants.Mutant {
	t.Helper()
	recorded, err := os.ReadFile("testdata/refused/" + name + ".txt")
	if errors.Is(err, fs.ErrNotExist) || most == 0 {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	for line := range strings.Lines(string(recorded)) {
		id, _, _ := strings.Cut(line, "\t")
		refused[id] = true
	}
	all := slices.DeleteFunc(mutants.Values(1, 600, objects), func(m mutants.Mutant) bool { return !refused[m.String()] })
	return all[:min(most, len(all))]
}

// said returns what checks say of objects, as texts.
func said(objects []*unstructured.Unstructured, chosen []*doctor.Check) map[string]bool {
	texts := map[string]bool{}
	view := cluster.Objects("rendered manifests", nil, slices.Concat(objects, []*unstructured.Unstructured{doctor.TypicalNode()})...)
	for _, c := range doctor.Diagnose(context.Background(), view, chosen, doctor.Options{}).Checks {
		for _, f := range c.Findings {
			if f.Severity.AtLeast(doctor.Warning) {
				texts[strings.Join([]string{f.About.String(), f.Message, f.Cause, f.Advice}, " ")] = true
			}
		}
	}
	return texts
}
