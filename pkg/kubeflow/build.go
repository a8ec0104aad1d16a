package kubeflow

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// BuildOptions say what to build into an application directory. What is not given stays as the directory has it.
type BuildOptions struct {
	Source        // Dirs is not heeded
	Dir    string // made if need be
	Adapt  string // how an install will patch what does not work on AKS: see [appdir.Adaptations]
	Format string // for which program gitops/ is written: see [appdir.GitOpsFormats]; "none" is for none
	Update bool   // take what has changed at its address
	DryRun bool   // build in memory
	Notify Notify
}

// A Built is an application directory as it was built, with what a person should know about it.
type Built struct {
	*appdir.Dir
	*appdir.Report
	Waves int // in gitops/; 0 if it is not written
}

// Build renders a release or a file into an application directory, and writes it.
func Build(ctx context.Context, o BuildOptions) (*Built, error) {
	dir, err := appdir.Open(o.Dir)
	if err != nil {
		return nil, err
	}
	return o.into(ctx, dir)
}

// into builds into a directory that is open.
func (o BuildOptions) into(ctx context.Context, dir *appdir.Dir) (*Built, error) {
	want, err := o.config(dir)
	if err != nil {
		return nil, err
	}
	options := o.renderOptions()
	o.Notify.following(&options)
	report, err := appdir.Build(ctx, dir, appdir.Request{Want: want, Stdin: o.Stdin, Update: o.Update, Options: options})
	if err != nil {
		return nil, unrendered(ctx, err)
	}
	o.Notify.rendered(report.Rendered)
	built := &Built{Dir: dir, Report: report}
	if err := built.showAdapted(ctx); err != nil {
		return nil, err
	}
	if err := built.putGitOps(ctx, o.Notify); err != nil {
		return nil, err
	}
	if o.DryRun {
		o.Notify.say("%s is not written (dry run)", dir.Path)
	} else if err := dir.Save(); err != nil {
		return nil, err
	}
	built.report(o.Notify)
	return built, nil
}

// config is the directory's configuration with what the options say.
func (o BuildOptions) config(dir *appdir.Dir) (appdir.Config, error) {
	want := dir.Config
	want.Name = cmp.Or(o.Name, want.Name)
	want.Adapt = cmp.Or(o.Adapt, want.Adapt, "auto")
	want.GitOps = o.gitOps(want.GitOps)
	source := &want.Build
	switch {
	case o.Release != "":
		source.Release, source.Filename = o.Release, ""
	case o.File != "":
		source.Release, source.Filename = "", wholePath(o.File)
	}
	if o.Only != nil {
		source.Component = o.Only
	}
	if o.Skip != nil {
		source.Skip = o.Skip
	}
	source.Mirror = cmp.Or(wholePath(o.Mirror), source.Mirror)
	switch {
	case dir.KfDef == "" && source.Release == "" && source.Filename == "":
		return want, &problem.Error{Usage: true, What: fmt.Sprintf("no release or file specified to build into %s", dir.Path), Next: "Specify --release or --filename; list the releases with: kubectl kubeflow releases"}
	case redact.LeftOut(source.Filename):
		return want, &problem.Error{Usage: true, What: fmt.Sprintf("%s was built from %s, whose credentials are not stored", dir.Path, source.Filename), Next: "Specify the whole address again with --filename"}
	case redact.LeftOut(source.Mirror):
		return want, &problem.Error{Usage: true, What: fmt.Sprintf("%s was built with the mirror %s, whose credentials are not stored", dir.Path, source.Mirror), Next: "Specify the whole address again with --mirror"}
	case o.File == "" && !o.Unrestricted && outside(source.Filename, dir.Path):
		return want, &problem.Error{Usage: true, What: fmt.Sprintf("%s was built from %s, which is outside the directory", dir.Path, source.Filename),
			Next: "If its configuration can be trusted, name the file again with --filename"}
	case source.Filename == "-" && o.File == "":
		return want, &problem.Error{Usage: true, What: fmt.Sprintf("%s was built from standard input, which is no longer available", dir.Path), Next: "Specify it again with --filename -, or specify --release"}
	}
	return want, nil
}

// showAdapted shows in rendered/ what an install makes of the objects, where the directory is for AKS alone.
func (b *Built) showAdapted(ctx context.Context) error {
	if b.Config.Adapt != adaptAKS {
		return nil
	}
	adapted, _, err := doctor.Adapt(ctx, checks.All(), b.Rendered.Components, doctor.TypicalNode())
	if err != nil {
		return err
	}
	return b.PutRendered(adapted)
}

// report says what a person should know of what was built.
func (b *Built) report(notify Notify) {
	title := b.Config.Build.Filename
	if b.Rendered.Release != nil {
		title = b.Rendered.Release.String()
	}
	notify.say("Built %s into %s: %d objects in %s", title, b.Path, len(b.Rendered.Objects()), text.Plural(len(b.Rendered.Components), "component"))
	for _, name := range b.Aside {
		notify.warn("the base of %s had been changed by hand; what it held is kept in kustomize/%s/base.changed", name, name)
	}
	for _, edit := range b.Stale {
		notify.warn("%s", edit.Sentence())
	}
}

// outside reports whether a file is on disk, and not inside a directory: whoever wrote the directory's configuration must not
// choose which of the user's files are read.
func outside(name, dir string) bool {
	if name == "" || name == "-" || archive.IsURL(name) || strings.Contains(name, "://") && !strings.HasPrefix(name, "file:") {
		return false
	}
	inside, err := filepath.Rel(wholePath(dir), archive.LocalPath(name))
	return err != nil || !filepath.IsLocal(inside)
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
