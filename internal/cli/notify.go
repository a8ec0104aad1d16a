package cli

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"

// Notify shows what a use case reports on its way.
func (d *Deps) Notify(n kubeflow.Notice) {
	if n.Warning {
		d.Screen().Say("Warning: %s", n.Text)
		return
	}
	d.Screen().Say("%s", n.Text)
}
