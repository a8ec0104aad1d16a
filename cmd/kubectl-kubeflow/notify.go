package main

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"

// notify shows what a use case reports on its way.
func (d *deps) notify(n kubeflow.Notice) {
	if n.Warning {
		d.screen().Say("Warning: %s", n.Text)
		return
	}
	d.screen().Say("%s", n.Text)
}
