package build

import (
	"fmt"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

// A buildResult is what "build -o json" prints.
type buildResult struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Dir        string           `json:"dir"`
	Release    string           `json:"release,omitempty"`
	Pins       []release.Pin    `json:"pins"`
	Components []builtComponent `json:"components"`
	Stale      []appdir.Edit    `json:"stale"` // user changes that no longer apply
}

type builtComponent struct {
	Name    string `json:"name"`
	Objects int    `json:"objects"`
	Edited  bool   `json:"edited"`
}

func (o *buildOptions) show(built *kubeflow.Built) error {
	result := buildResult{APIVersion: cli.ResultVersion, Kind: "Build", Dir: built.Path, Pins: built.Rendered.Pins, Stale: append([]appdir.Edit{}, built.Stale...)}
	if built.Rendered.Release != nil {
		result.Release = built.Rendered.Release.Version
	}
	for _, c := range built.Rendered.Components {
		result.Components = append(result.Components, builtComponent{c.Name, len(c.Objects), slices.Contains(built.Edited, c.Name)})
	}
	if o.output != "" {
		if err := cli.PrintDocument(o.Out, o.output, result); err != nil {
			return err
		}
	} else if err := o.table(result); err != nil {
		return err
	}
	if len(built.Stale) > 0 {
		return cli.ErrFound
	}
	if o.output == "" {
		o.Screen().Say("To install it: kubectl kubeflow install --dir %s", escape.Word(built.Path))
	}
	return nil
}

func (o *buildOptions) table(result buildResult) error {
	var rows [][]string
	for _, c := range result.Components {
		edited := ""
		if c.Edited {
			edited = "yes"
		}
		rows = append(rows, []string{c.Name, fmt.Sprint(c.Objects), edited})
	}
	return o.Screen().Table([]string{"COMPONENT", "OBJECTS", "EDITED"}, rows)
}
