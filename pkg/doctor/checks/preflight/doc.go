// Package preflight checks, before an install, what only its plan can tell: APIs, permissions, objects that the API server rejects, quotas,
// and whether the manifests are patched for AKS. Without an install its checks do not apply. To add one, copy quotas.go; a check that makes
// sense on an installed Kubeflow too belongs to the area of its subject, with Preflight set.
package preflight

import (
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// notInstalling is how a check ends where nothing is about to be installed.
func notInstalling() error { return doctor.Skip("nothing is being installed") }

// blocked returns what the plan found under the ID of a check, as findings.
func blocked(e doctor.Exam, id string) ([]doctor.Finding, error) {
	if e.Install == nil {
		return nil, notInstalling()
	}
	var findings []doctor.Finding
	for _, p := range e.Install.Blocked[id] {
		findings = append(findings, doctor.Finding{Severity: doctor.Error, Message: p.What, Advice: p.Next, Command: p.Command})
	}
	return findings, nil
}
