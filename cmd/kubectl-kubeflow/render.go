package main

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// notify shows what a use case reports on its way.
func (d *deps) notify(n kubeflow.Notice) {
	if n.Warning {
		d.screen().Say("Warning: %s", n.Text)
		return
	}
	d.screen().Say("%s", n.Text)
}

// render turns a release or a file into objects, and says on the way what is fetched and what to know about it.
func (d *deps) render(ctx context.Context, in release.Input, o release.RenderOptions) (*release.Rendered, error) {
	return kubeflow.Render(ctx, in, o, d.notify)
}
