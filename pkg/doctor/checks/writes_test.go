package checks

import (
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// TestFixesDoWhatTheirChecksDeclare holds every fix of every case, and of its options, to the check's Writes.
func TestFixesDoWhatTheirChecksDeclare(t *testing.T) {
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		view, s := readNamed(t, a)
		if s.Install != nil {
			return // an install's patches are not fixes
		}
		profiles, err := workloads.ProfileNamespaces(t.Context(), doctor.Exam{View: view})
		if err != nil {
			t.Fatal(err)
		}
		isProfile := func(ns string) bool { return profiles[ns] != nil }
		for _, f := range runCheck(view, c, s).Findings {
			if f.Fix == nil {
				continue
			}
			for _, change := range f.Fix.Changes {
				declared := func(w doctor.Write) bool { return w.Covers(change.Ref(), isProfile) && w.Makes(change) }
				if !slices.ContainsFunc(c.Writes, declared) {
					t.Errorf("%s: %s does not declare: %s %s %v", path, c.ID, change.Verb, change.Ref(), cluster.ChangedFields(change.Before, change.After))
				}
			}
		}
	})
}

// TestNoFixGivesPermissions holds the declarations to what a record must never lead to.
func TestNoFixGivesPermissions(t *testing.T) {
	webhooks := []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
	for _, c := range All() {
		for _, w := range c.Writes {
			if w.Kind.Group == "rbac.authorization.k8s.io" && w.Option == "" {
				t.Errorf("%s writes %s", c.ID, w.Kind.Kind)
			}
			if slices.Contains(webhooks, w.Kind.Kind) && (w.Create || w.Delete || w.Edit == nil) {
				t.Errorf("%s creates or deletes %s", c.ID, w.Kind.Kind)
			}
			if slices.Contains(w.In, "kube-system") {
				t.Errorf("%s writes in kube-system", c.ID)
			}
		}
	}
}

func readNamed(t *testing.T, a *txtar.Archive) (cluster.View, doctor.Settings) {
	view, s := read(t, a)
	s.Named = true
	return view, s
}
