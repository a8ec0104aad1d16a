package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

// dirUsage is the help of install's --dir.
const dirUsage = "install what is built into this application `DIR` (see build), or what kfctl left in it; may be given several times"

// rendered turns what the flags ask for into objects: application directories, a release or a file.
func (o *installOptions) rendered(ctx context.Context, client *cluster.Client) (*release.Rendered, error) {
	options := release.RenderOptions{Mirror: o.mirror, SkipVerify: o.skipVerify, Only: o.only, Skip: o.skip}
	if len(o.dirs) > 0 {
		return o.fromDirs(ctx, client, options)
	}
	version, err := o.chooseRelease(ctx, client)
	if err != nil {
		return nil, err
	}
	return o.deps.render(ctx, release.Input{Release: version, File: o.file, Stdin: o.In}, options)
}

// fromDirs renders the directories; one that is empty, or is for another release, is built first.
func (o *installOptions) fromDirs(ctx context.Context, client *cluster.Client, options release.RenderOptions) (*release.Rendered, error) {
	var dirs []*appdir.Dir
	for _, name := range o.dirs {
		dir, err := appdir.Open(name)
		if err != nil {
			return nil, err
		}
		o.kfctl = o.kfctl || dir.KfDef != ""
		dirs = append(dirs, dir)
	}
	if o.release != "" || o.file != "" || len(dirs) == 1 && dirs[0].Empty() {
		if len(dirs) > 1 {
			return nil, &usageError{What: "--release and --filename build into one directory, and --dir is given several times", Next: "Give one --dir, or leave the release out"}
		}
		if built, err := o.buildFirst(ctx, client, dirs[0], options); err != nil || built != nil {
			o.take(dirs)
			return built, err
		}
	}
	o.take(dirs)
	options.Progress = func(line string) { o.screen().Say("%s", line) }
	rendered, err := appdir.Render(ctx, dirs, options)
	if err != nil {
		return nil, unrendered(ctx, err)
	}
	o.deps.sayRendered(rendered)
	return rendered, nil
}

// buildFirst builds what is asked for into the directory; nil when that is there already. A dry run does not write it.
func (o *installOptions) buildFirst(ctx context.Context, client *cluster.Client, dir *appdir.Dir, options release.RenderOptions) (*release.Rendered, error) {
	if o.release != "" && !dir.Empty() && dir.Config.Build.Release == o.release && len(o.only)+len(o.skip) == 0 {
		return nil, nil
	}
	version, err := o.chooseRelease(ctx, client)
	if err != nil {
		return nil, err
	}
	b := &buildOptions{deps: o.deps, dir: dir.Path, release: version, file: o.file, name: o.name, only: o.only, skip: o.skip, mirror: o.mirror, adapt: o.adapt}
	b.given = func(flag string) bool {
		return o.given(flag) || flag == "release" && version != "" // the release that suits is as good as one that was typed
	}
	want, err := b.want(dir)
	if err != nil {
		return nil, err
	}
	report, err := o.deps.build(ctx, dir, appdir.Request{Want: want, Stdin: o.In, Options: options})
	if err != nil {
		return nil, err
	}
	if o.diff || o.dryRun != "none" {
		o.screen().Say("%s is not written (dry run)", dir.Path)
	} else if err := dir.Save(); err != nil {
		return nil, err
	}
	o.deps.sayBuilt(dir, report)
	return report.Rendered, unbuilt(dir, report)
}

// unbuilt refuses to install a directory of which a part cannot be built.
func unbuilt(dir *appdir.Dir, report *appdir.Report) error {
	for _, edit := range report.Stale {
		if edit.Broken {
			return &release.InputError{What: dir.Path + "/" + edit.Sentence(), Do: "correct its kustomization.yaml, then run the same command again"}
		}
	}
	return nil
}

// take sets what the directories' configuration says and no flag did.
func (o *installOptions) take(dirs []*appdir.Dir) {
	for _, dir := range dirs {
		if !o.given("name") {
			o.name = cmp.Or(o.name, dir.Config.Name)
		}
		if !o.given("adapt") && dir.Config.Adapt != "" {
			o.adapt = dir.Config.Adapt
		}
	}
}

// sayAdoptedDirs says that what kfctl made stays, and how to see what changes on it.
func (o *installOptions) sayAdoptedDirs() {
	if o.kfctl {
		o.screen().Say("%s made by kfctl: its objects are taken over, not made anew. Each change: kubectl kubeflow install --dir %s --diff", strings.Join(o.dirs, ", "), strings.Join(o.dirs, " --dir "))
	}
}

// dirTitle is how messages call what comes from directories.
func (o *installOptions) dirTitle() string {
	return fmt.Sprintf("what is in %s", strings.Join(o.dirs, " and "))
}
