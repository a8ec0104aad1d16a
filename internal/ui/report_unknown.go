package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// role is what allows everything that doctor reads.
const role = "kubectl-kubeflow-doctor"

// permission returns what a check was not allowed to read ("list pods"), if that kept it from running.
func permission(c doctor.CheckReport) (missing string, denied bool) {
	missing, denied = strings.CutPrefix(c.Reason, "needs ")
	return strings.Replace(missing, " on ", " ", 1), denied && c.Status == doctor.Unknown
}

// unknown says which checks could not run: those that lack a permission in one block, the others with their reasons.
func (p *page) unknown(r *doctor.Report) {
	p.denied(r, false)
	var reasons []string
	n := 0
	for _, c := range r.Checks {
		if _, denied := permission(c); denied || c.Status != doctor.Unknown {
			continue
		}
		if n++; !slices.Contains(reasons, c.Reason) {
			reasons = append(reasons, c.Reason)
		}
	}
	if n > 0 {
		p.wrapped(p.sign(string(doctor.Unknown))+" ", 2, fmt.Sprintf("%s unknown: %s (-v shows them)", text.Plural(n, "check"), text.List(reasons, 3)))
	}
}

// denied says in one block what this user may not read, and the role that allows it. named lists the checks.
func (p *page) denied(r *doctor.Report, named bool) {
	var missing, checks []string
	n := 0
	for _, c := range r.Checks {
		if what, denied := permission(c); denied {
			checks = append(checks, c.ID)
			if n++; !slices.Contains(missing, what) {
				missing = append(missing, what)
			}
		}
	}
	if n == 0 {
		return
	}
	slices.Sort(missing)
	p.wrapped(p.sign(string(doctor.Unknown))+" ", 2, fmt.Sprintf("%s unknown: this user is not allowed to read what %s", text.Plural(n, "check"), text.Verb(n, "it needs", "they need")))
	if named {
		p.detail("Checks", strings.Join(checks, ", "))
	}
	p.detail("Missing", text.List(missing, 6))
	if r.Namespace == "" {
		p.detail("Grant", "ClusterRole "+role+" (docs/rbac.yaml): kubectl create clusterrolebinding doctor --clusterrole "+role+" --user USER")
	}
}
