package kubeflow

import (
	"cmp"
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

// render turns what the options ask for into objects: application directories, a release or a file.
func (o *InstallOptions) render(ctx context.Context, view cluster.View) (rendered *release.Rendered, kfctl bool, err error) {
	if len(o.Dirs) > 0 {
		return o.renderDirs(ctx, view)
	}
	version, err := o.choose(ctx, view)
	if err != nil {
		return nil, false, err
	}
	rendered, err = Render(ctx, release.Input{Release: version, File: o.File, Stdin: o.Stdin}, o.renderOptions(), o.Notify)
	return rendered, false, err
}

// renderDirs renders the directories; one that is empty, or is for another release, is built first.
func (o *InstallOptions) renderDirs(ctx context.Context, view cluster.View) (rendered *release.Rendered, kfctl bool, err error) {
	var dirs []*appdir.Dir
	for _, name := range o.Dirs {
		dir, err := appdir.Open(name)
		if err != nil {
			return nil, false, err
		}
		kfctl = kfctl || dir.KfDef != ""
		dirs = append(dirs, dir)
	}
	if o.Release != "" || o.File != "" || len(dirs) == 1 && dirs[0].Empty() {
		if len(dirs) > 1 {
			return nil, false, &problem.Error{Usage: true, What: "--release and --filename build into one directory, and --dir is given several times", Next: "Give one --dir, or leave the release out"}
		}
		rendered, err = o.buildFirst(ctx, view, dirs[0])
	}
	if err != nil || rendered != nil {
		o.take(dirs)
		return rendered, kfctl, err
	}
	o.take(dirs)
	options := o.renderOptions()
	o.Notify.following(&options)
	rendered, err = appdir.Render(ctx, dirs, options)
	if err != nil {
		return nil, false, unrendered(ctx, err)
	}
	o.Notify.rendered(rendered)
	return rendered, kfctl, nil
}

// buildFirst builds what is asked for into the directory; nil when that is there already. A dry run does not write it.
func (o *InstallOptions) buildFirst(ctx context.Context, view cluster.View, dir *appdir.Dir) (*release.Rendered, error) {
	if o.Release != "" && !dir.Empty() && dir.Config.Build.Release == o.Release && len(o.Only)+len(o.Skip) == 0 {
		return nil, nil
	}
	version, err := o.choose(ctx, view)
	if err != nil {
		return nil, err
	}
	b := BuildOptions{Source: o.Source, Adapt: o.Adapt, DryRun: !o.DryRun.writes(), Notify: o.Notify}
	b.Release = version
	built, err := b.into(ctx, dir)
	if err != nil {
		return nil, err
	}
	return built.Rendered, unbuilt(built)
}

// unbuilt refuses to install a directory of which a part cannot be built.
func unbuilt(b *Built) error {
	for _, edit := range b.Stale {
		if edit.Broken {
			return &problem.Error{Usage: true, What: b.Path + "/" + edit.Sentence(), Next: "Correct its kustomization.yaml, then run the same command again"}
		}
	}
	return nil
}

// take sets what the directories' configuration says and no option did.
func (o *InstallOptions) take(dirs []*appdir.Dir) {
	adapt := ""
	for _, dir := range dirs {
		o.Name = cmp.Or(o.Name, dir.Config.Name)
		adapt = cmp.Or(dir.Config.Adapt, adapt)
	}
	o.Adapt = cmp.Or(o.Adapt, adapt)
}
