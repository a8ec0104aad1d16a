package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// a check that ends as it is told.
func check(id string, findings []Finding, err error) *Check {
	return &Check{ID: id, Title: id + " is well", Run: func(context.Context, Exam) ([]Finding, error) { return findings, err }}
}

func configMap(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "kubeflow"}, "data": map[string]any{"a": "1"},
	}}
}

func about(name string) Subject { return Subject{Ref: cluster.RefOf(configMap(name))} }

// fixOf changes one ConfigMap.
func fixOf(title string, impact Impact, name string) *Fix {
	return &Fix{Title: title, Impact: impact, Changes: []cluster.Change{cluster.Edit(configMap(name), func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, "2", "data", "a")
	})}}
}

func diagnose(checks ...*Check) *Report {
	return Diagnose(context.Background(), cluster.Objects("the test", nil), checks, Options{})
}

func TestACheckThatCannotLookSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		err          error
		status       Status
		blind        int
	}{
		{"does not apply", "not part of this release", Skip("not part of this release"), NotApplicable, 0},
		{"no such kind", "the cluster has no kind MPIJob", &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "kubeflow.org", Kind: "MPIJob"}}, NotApplicable, 0},
		{"nobody can know", "the version cannot be known from files", &cluster.ErrUnknowable{What: "the version", Source: "files"}, Unknown, 0},
		{"no permission", "needs list on secrets in namespace auth", &askedError{"list", "Secret", "auth",
			apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", errors.New("no"))}, Unknown, 1},
		{"a fault", "the line went dead", errors.New("the line went dead"), Unknown, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := diagnose(check("a/b", nil, c.err))
			if got := r.Checks[0]; got.Status != c.status || got.Reason != c.reason {
				t.Errorf("it ended %s: %q, want %s: %q", got.Status, got.Reason, c.status, c.reason)
			}
			if got := len(r.Blind()); got != c.blind {
				t.Errorf("%d checks count as blind, want %d", got, c.blind)
			}
		})
	}
}

func TestACheckThatBreaksDoesNotTakeTheOthersAlong(t *testing.T) {
	broken := &Check{ID: "a/broken", Run: func(context.Context, Exam) ([]Finding, error) { panic("index out of range") }}
	r := diagnose(broken, check("a/b", []Finding{{Severity: Error}}, nil))
	if r.Checks[0].Status != Unknown || !strings.Contains(r.Checks[0].Reason, "index out of range") {
		t.Errorf("the broken check ended %s: %s", r.Checks[0].Status, r.Checks[0].Reason)
	}
	if r.Checks[1].Status != Found {
		t.Errorf("the other check ended %s", r.Checks[1].Status)
	}
}

func TestACauseThatIsNotThereIsNotNamed(t *testing.T) {
	consequence := check("a/consequence", []Finding{{Severity: Error, ExplainedBy: "a/cause"}}, nil)
	if r := diagnose(check("a/cause", nil, nil), consequence); r.Checks[1].Findings[0].ExplainedBy != "" {
		t.Error("a finding is explained by a check that found nothing")
	}
	if r := diagnose(consequence); r.Checks[0].Findings[0].ExplainedBy != "a/cause" {
		t.Error("a cause that was not looked for is forgotten")
	}
}

func TestASuppressedFindingIsNotHeard(t *testing.T) {
	c := check("a/b", []Finding{{Severity: Error, About: about("one")}, {Severity: Warning, About: about("two")}}, nil)
	for text, left := range map[string]int{"a/b": 0, "a/b=ConfigMap/kubeflow/one": 1, "a/b=configmap/kubeflow/two": 1, "a/c": 2} {
		s, err := ParseSuppression(text)
		if err != nil {
			t.Fatal(err)
		}
		r := Diagnose(context.Background(), cluster.Objects("the test", nil), []*Check{c}, Options{Suppress: []Suppression{s}})
		if got := len(r.Checks[0].Findings); got != left {
			t.Errorf("--suppress %s leaves %d findings, want %d", text, got, left)
		}
		if status := r.Checks[0].Status; (status == OK) != (left == 0) {
			t.Errorf("--suppress %s leaves the check %s", text, status)
		}
	}
	for _, text := range []string{"", "a/b=", "a/b=ConfigMap", "a/b=a/b/c/d"} {
		if _, err := ParseSuppression(text); err == nil {
			t.Errorf("--suppress %q is taken", text)
		}
	}
}

func TestAnAnnotatedObjectIsNotSpokenOf(t *testing.T) {
	one, two := configMap("one"), configMap("two")
	one.SetAnnotations(map[string]string{SuppressAnnotation: "a/c, a/b"})
	two.SetAnnotations(map[string]string{SuppressAnnotation: "a/bc"})
	view := cluster.Objects("the test", nil, one, two)
	c := check("a/b", []Finding{{Severity: Error, About: about("one")}, {Severity: Warning, About: about("two")}}, nil)
	r := Diagnose(context.Background(), view, []*Check{c}, Options{})
	if got := r.Checks[0]; len(got.Findings) != 1 || got.Findings[0].About.Name != "two" || !strings.Contains(got.Reason, "1 suppressed by annotation") {
		t.Errorf("heard %+v (%s), want the one about two", got.Findings, got.Reason)
	}
	r = Diagnose(context.Background(), view, []*Check{c}, Options{Suppress: []Suppression{{Check: "a/b", About: "ConfigMap/kubeflow/two"}}})
	if got := r.Checks[0]; got.Status != OK || got.Reason != "2 suppressed, 1 of them by annotation kubeflow.org/doctor-suppress" {
		t.Errorf("it ended %s: %s", got.Status, got.Reason)
	}
}

func TestAnAnnotationDoesNotHideAnOpenCluster(t *testing.T) {
	one := configMap("one")
	one.SetAnnotations(map[string]string{SuppressAnnotation: "exposure/a,auth/a,pods/a"})
	view := cluster.Objects("the test", nil, one)
	for id, left := range map[string]int{"exposure/a": 1, "auth/a": 1, "pods/a": 0} {
		c := check(id, []Finding{{Severity: Error, About: about("one")}, {Severity: Warning, About: about("one")}}, nil)
		if got := Diagnose(context.Background(), view, []*Check{c}, Options{}).Checks[0].Findings; len(got) != left || left > 0 && got[0].Severity != Error {
			t.Errorf("%s: %+v is left, want %d", id, got, left)
		}
		if got := Diagnose(context.Background(), view, []*Check{c}, Options{Suppress: []Suppression{{Check: id}}}).Checks[0].Findings; len(got) > 0 {
			t.Errorf("%s: --suppress leaves %+v", id, got)
		}
	}
}

func TestAReportIsOneDocumentOfItsKindEvenWhenItIsEmpty(t *testing.T) {
	content, err := json.Marshal(diagnose())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"apiVersion":"kubeflow.doctor/v1alpha1"`, `"kind":"Report"`, `"checks":[]`, `"fixes":[]`, `"from":"unknown"`} {
		if !strings.Contains(string(content), part) {
			t.Errorf("%s is not in %s", part, content)
		}
	}
}

func TestAFixIsWrittenAsWhatItChanges(t *testing.T) {
	f := fixOf("Set a to 2", Safe, "one")
	content, err := json.Marshal(Finding{Severity: Error, About: about("one"), Fix: f})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"impact":"safe"`, `"verb":"patch"`, `"kind":"ConfigMap"`, `+  a: \"2\"`} {
		if !strings.Contains(string(content), part) {
			t.Errorf("%s is not in %s", part, content)
		}
	}
}
