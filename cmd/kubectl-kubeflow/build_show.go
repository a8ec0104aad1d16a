package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
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
	Stale      []appdir.Edit    `json:"stale"` // changes of the user's that no longer apply
}

type builtComponent struct {
	Name    string `json:"name"`
	Objects int    `json:"objects"`
	Edited  bool   `json:"edited"`
}

func (o *buildOptions) show(dir *appdir.Dir, report *appdir.Report) error {
	result := buildResult{APIVersion: resultVersion, Kind: "Build", Dir: dir.Path, Pins: report.Rendered.Pins, Stale: append([]appdir.Edit{}, report.Stale...)}
	if report.Rendered.Release != nil {
		result.Release = report.Rendered.Release.Version
	}
	for _, c := range report.Rendered.Components {
		result.Components = append(result.Components, builtComponent{c.Name, len(c.Objects), slices.Contains(report.Edited, c.Name)})
	}
	o.deps.sayBuilt(dir, report)
	if o.output != "" {
		if err := printDocument(o.Out, o.output, result); err != nil {
			return err
		}
	} else if err := o.table(result); err != nil {
		return err
	}
	if len(report.Stale) > 0 {
		return errFound
	}
	if o.output == "" {
		o.screen().Say("To install it: kubectl kubeflow install --dir %s", dir.Path)
	}
	return nil
}

func (o *buildOptions) table(result buildResult) error {
	var rows [][]string
	for _, c := range result.Components {
		yours := ""
		if c.Edited {
			yours = "yes"
		}
		rows = append(rows, []string{c.Name, fmt.Sprint(c.Objects), yours})
	}
	return o.screen().Table([]string{"COMPONENT", "OBJECTS", "EDITED"}, rows)
}

// sayBuilt says what a person should know of what was built into a directory.
func (d *deps) sayBuilt(dir *appdir.Dir, report *appdir.Report) {
	title := dir.Config.Build.Filename
	if report.Rendered.Release != nil {
		title = report.Rendered.Release.String()
	}
	d.screen().Say("Built %s into %s: %d objects in %s", title, dir.Path, len(report.Rendered.Objects()), countOf(len(report.Rendered.Components), "component"))
	for _, name := range report.Aside {
		d.screen().Say("Warning: the base of %s had been changed by hand; what it held is kept in kustomize/%s/base.changed", name, name)
	}
	for _, edit := range report.Stale {
		d.screen().Say("Warning: %s", edit.Sentence())
	}
}

// adaptRendered shows in rendered/ what install makes of the objects on AKS.
func adaptRendered(ctx context.Context, dir *appdir.Dir, report *appdir.Report, facts ...*unstructured.Unstructured) error {
	adapted, _, err := doctor.Adapt(ctx, checks.All(), report.Rendered.Objects(), facts...)
	if err != nil {
		return err
	}
	components := slices.Clone(report.Rendered.Components)
	for i := range components {
		n := len(components[i].Objects)
		components[i].Objects, adapted = adapted[:n], adapted[n:]
	}
	return dir.PutRendered(components)
}

// wholePath keeps a path usable from elsewhere; URLs and standard input stay what they are.
func wholePath(name string) string {
	if name == "" || name == "-" || strings.Contains(name, "://") || strings.HasPrefix(name, "file:") {
		return name
	}
	if whole, err := filepath.Abs(name); err == nil {
		return whole
	}
	return name
}
