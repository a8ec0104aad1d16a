package cli

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"

// Notify prints the notices of a use case.
func (d *Deps) Notify(n kubeflow.Notice) {
	if n.Step && (n.Brief || n.Text == "" || d.busy.Live()) {
		d.Step("%s", n.Text)
		return
	}
	if n.Warning {
		d.Screen().Say("Warning: %s", n.Text)
		return
	}
	if !d.Quiet {
		d.Screen().Say("%s", n.Text)
	}
}
