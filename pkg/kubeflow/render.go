package kubeflow

import (
	"context"
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// Render turns a release or a file into objects.
func Render(ctx context.Context, in release.Input, o release.RenderOptions, notify Notify) (*release.Rendered, error) {
	o.Progress = func(line string) { notify.say("%s", line) }
	rendered, err := release.Render(ctx, in, o)
	if err != nil {
		return nil, unrendered(ctx, err)
	}
	notify.rendered(rendered)
	return rendered, nil
}

// rendered reports what to know about what was rendered.
func (n Notify) rendered(rendered *release.Rendered) {
	for _, note := range rendered.Notes {
		n.say("%s", note)
	}
	for _, warning := range rendered.Warnings {
		n.warn("%s", warning)
	}
}

// unrendered keeps an archive that cannot be fetched from being taken for a cluster that does not answer.
func unrendered(ctx context.Context, err error) error {
	var input *problem.Error
	if errors.As(err, &input) || ctx.Err() != nil {
		return err
	}
	return &problem.Error{What: err.Error(), Err: err,
		Next: "Check the network, the proxy settings and whether the address asks for a sign-in, or take the archives from elsewhere with --mirror"}
}

// Download puts the archives and files that releases are made from into a folder that Source.Mirror can name. The warnings
// are in the result, by release.
func Download(ctx context.Context, folder string, releases []string, o release.RenderOptions, notify Notify) (*release.Downloaded, error) {
	o.Progress = func(line string) { notify.say("%s", line) }
	got, err := release.Download(ctx, folder, releases, o)
	if err != nil {
		return nil, unrendered(ctx, err)
	}
	return got, nil
}
