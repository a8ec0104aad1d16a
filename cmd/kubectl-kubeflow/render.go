package main

import (
	"context"
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// render turns a release or a file into objects, and says on the way what is fetched and what to know about it.
func (d *deps) render(ctx context.Context, in release.Input, o release.RenderOptions) (*release.Rendered, error) {
	o.Progress = func(line string) { d.screen().Say("%s", line) }
	rendered, err := release.Render(ctx, in, o)
	if err != nil {
		return nil, unrendered(ctx, err)
	}
	d.sayRendered(rendered)
	return rendered, nil
}

// sayRendered says what to know about what was rendered.
func (d *deps) sayRendered(rendered *release.Rendered) {
	for _, note := range rendered.Notes {
		d.screen().Say("%s", note)
	}
	for _, warning := range rendered.Warnings {
		d.screen().Say("Warning: %s", warning)
	}
}

// unrendered keeps an archive that cannot be had from being taken for a cluster that does not answer.
func unrendered(ctx context.Context, err error) error {
	var input *release.InputError
	if errors.As(err, &input) || ctx.Err() != nil {
		return err
	}
	return &cluster.Problem{What: err.Error(), Err: err,
		Next: "Check the network, the proxy settings and whether the address asks for a sign-in, or take the archives from elsewhere with --mirror"}
}
