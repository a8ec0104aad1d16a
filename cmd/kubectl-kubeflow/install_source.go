package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A wantedInstall is what the flags ask for, rendered and adapted.
type wantedInstall struct {
	title   string // "Kubeflow 26.03", or the file's name
	request install.Request
	adapted []doctor.Adaptation
	took    time.Duration // to render
}

func (o *installOptions) render(ctx context.Context, client *cluster.Client) (*wantedInstall, error) {
	began := o.now()
	rendered, err := o.rendered(ctx, client)
	if err != nil {
		return nil, err
	}
	w := &wantedInstall{title: o.file, took: o.now().Sub(began), request: install.Request{
		Name: o.installationName(rendered), Pins: rendered.Pins, Namespace: rendered.Namespace, Components: rendered.Components,
		Partial: rendered.Partial, Skipped: rendered.Skipped,
	}}
	w.request.Recreate = o.leave.recreate
	if rendered.Release != nil {
		w.request.LeftOvers = rendered.Release.LeftOvers
		w.request.Release, w.title = rendered.Release.Version, rendered.Release.String()
	}
	switch {
	case w.title == "-":
		w.title = "what came on standard input"
	case w.title == "":
		w.title = o.dirTitle()
	}
	if w.request.Namespace == "" {
		w.request.Namespace = *o.flags.Namespace
	}
	return w, o.adaptTo(ctx, client, w)
}

// chooseRelease returns the release to install: the one asked for, or the newest that was tested on this Kubernetes.
func (o *installOptions) chooseRelease(ctx context.Context, client *cluster.Client) (string, error) {
	if o.release != "" || o.file != "" {
		return o.release, nil
	}
	version, err := client.View().Version(ctx)
	if err != nil {
		return "", err
	}
	newest, ok := release.Newest(version.GitVersion)
	if !ok {
		return "", &usageError{What: fmt.Sprintf("no Kubeflow release was tested on Kubernetes %s", strings.TrimPrefix(version.GitVersion, "v")),
			Next: "See them with: kubectl kubeflow releases, and name one with --release"}
	}
	return newest.Version, nil
}

// installationName is kubeflow for everything that is a Kubeflow, and the file's name for other manifests, so that
// these never take a Kubeflow's place.
func (o *installOptions) installationName(rendered *release.Rendered) string {
	if o.name != "" {
		return o.name
	}
	if rendered.Release != nil || rendered.Namespace != "" {
		return "kubeflow"
	}
	base := filepath.Base(strings.TrimRight(o.file+strings.Join(o.dirs, "-"), "/")) // one of them is empty
	base = strings.TrimSuffix(base, filepath.Ext(base))
	base = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(base), "-"), "-")
	if base = strings.Trim(base[:min(len(base), 25)], "-"); base == "" {
		return "manifests"
	}
	return base
}
