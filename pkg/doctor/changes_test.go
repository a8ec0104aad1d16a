package doctor

import (
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func TestChangesAreWhatAppearedAndWhatWasResolved(t *testing.T) {
	finding := func(name, message string, s Severity) Finding {
		return Finding{Severity: s, About: Subject{Ref: cluster.Ref{APIVersion: "v1", Kind: "Pod", Name: name}}, Message: message}
	}
	report := func(status Status, findings ...Finding) *Report {
		r := NewReport()
		r.Checks = []CheckReport{{ID: "pods/crashes", Status: status, Findings: findings}}
		return r
	}
	names := func(list []Problem) string {
		all := ""
		for _, p := range list {
			all += p.Finding.About.Name + " "
		}
		return all
	}
	for _, c := range []struct {
		what               string
		earlier, later     *Report
		appeared, resolved string
	}{
		{"all are new at first, the worst first", nil, report(Found, finding("a", "a", Info), finding("b", "b", Error)), "b a ", ""},
		{"a count that changes is no change", report(Found, finding("a", "3 restarts", Error)), report(Found, finding("a", "4 restarts", Error)), "", ""},
		{"one for another", report(Found, finding("a", "", Error)), report(Found, finding("b", "", Error)), "b ", "a "},
		{"worse is new", report(Found, finding("a", "", Warning)), report(Found, finding("a", "", Error)), "a ", "a "},
		{"a check that could not look resolves nothing", report(Found, finding("a", "", Error)), report(Unknown), "", ""},
		{"all is well again", report(Found, finding("a", "", Error)), report(OK), "", "a "},
	} {
		appeared, resolved := Changes(c.earlier, c.later)
		if got := [2]string{names(appeared), names(resolved)}; got != [2]string{c.appeared, c.resolved} {
			t.Errorf("%s: %q", c.what, got)
		}
	}
}
