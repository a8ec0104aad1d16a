package build

import (
	"context"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// print prints the manifests of a release, a file or the application directory in the current folder. Nothing is written, and no cluster is
// asked.
func (o *buildOptions) print(ctx context.Context) error {
	options := kubeflow.InstallOptions{Source: o.useCaseOptions().Source, Notify: o.Notify}
	if o.release == "" && o.file == "" {
		options.Dirs = []string{o.dir}
	}
	if o.changed("adapt") {
		options.Adapt = o.adapt
	}
	plan, err := kubeflow.PrepareManifests(ctx, options)
	if err != nil {
		return err
	}
	switch o.output {
	case "name":
		for _, ref := range plan.Refs() {
			if _, err := fmt.Fprintln(o.Out, ref); err != nil {
				return err
			}
		}
		return nil
	case "json":
		list := []any{}
		for _, g := range plan.Objects {
			list = append(list, g.Object.Object)
		}
		return cli.PrintDocument(o.Out, o.output, map[string]any{"apiVersion": "v1", "kind": "List", "items": list})
	}
	for _, g := range plan.Objects {
		if _, err := fmt.Fprintln(o.Out, "---"); err != nil {
			return err
		}
		if err := cli.PrintDocument(o.Out, o.output, g.Object.Object); err != nil {
			return err
		}
	}
	return nil
}
