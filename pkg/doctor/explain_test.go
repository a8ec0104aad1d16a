package doctor

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// blames returns a finding about an object, which needs others.
func blames(object string, needs ...string) Finding {
	f := Finding{Severity: Error, About: about(object)}
	for _, name := range needs {
		f.Needs = append(f.Needs, about(name).Ref)
	}
	return f
}

func TestFindingsAreExplainedOneByOne(t *testing.T) {
	r := diagnose(
		check("a/references", []Finding{blames("broken", "broken"), blames("other", "other")}, nil),
		check("a/pods", []Finding{blames("pod", "broken"), blames("lonely")}, nil),
		check("a/workloads", []Finding{blames("broken", "broken", "pod"), blames("late", "lonely")}, nil),
	)
	want := [][]string{{"", ""}, {"a/references", ""}, {"a/references", "a/pods"}}
	for i, c := range r.Checks {
		for j, f := range c.Findings {
			if f.ExplainedBy != want[i][j] {
				t.Errorf("%s about %s is explained by %q, want %q", c.ID, f.About.Name, f.ExplainedBy, want[i][j])
			}
		}
	}
}

func TestFindingsThatExplainEachOtherKeepTheFirst(t *testing.T) {
	r := diagnose(check("a/one", []Finding{blames("a", "b"), blames("c")}, nil), check("a/two", []Finding{blames("b", "a"), blames("d", "c")}, nil))
	if one, two := r.Checks[0].Findings, r.Checks[1].Findings; one[0].ExplainedBy != "" || two[0].ExplainedBy != "a/one" || two[1].ExplainedBy != "a/one" {
		t.Errorf("explained by %q, %q and %q", one[0].ExplainedBy, two[0].ExplainedBy, two[1].ExplainedBy)
	}
}

func TestACheckWithNothingToLookAtDoesNotApply(t *testing.T) {
	list := func(absence bool) *Check {
		return &Check{ID: "a/b", Absence: absence, Run: func(ctx context.Context, e Exam) ([]Finding, error) {
			_, err := e.List(ctx, kube.ConfigMapKind, cluster.Scope{})
			return nil, err
		}}
	}
	for _, c := range []struct {
		name    string
		objects []*unstructured.Unstructured
		absence bool
		want    Status
	}{
		{"nothing", nil, false, NotApplicable},
		{"nothing that should not be there", nil, true, OK},
		{"something", []*unstructured.Unstructured{configMap("one")}, false, OK},
	} {
		r := Diagnose(t.Context(), cluster.Objects("the test", nil, c.objects...), []*Check{list(c.absence)}, Options{})
		if got := r.Checks[0].Status; got != c.want {
			t.Errorf("%s: it ended %s, want %s", c.name, got, c.want)
		}
	}
}
