package kubeflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A Source says what to install or build: a release, a file, or application directories. Its zero value is the newest release
// that was tested on the cluster's Kubernetes.
type Source struct {
	Release string    // "26.03"
	File    string    // a KfDef, a kustomization folder or rendered YAML: a file, a folder, a URL, or "-" for Stdin
	Dirs    []string  // application directories: see [Build]
	Stdin   io.Reader // what File "-" is read from

	Name string   // of the installation; "" is "kubeflow", and for other manifests the file's name
	Only []string // these components alone; nil is all
	Skip []string // without these components

	Mirror string // a folder or URL to take archives from
	// Unrestricted lets kustomizations and KfDefs on disk read files outside their folder.
	Unrestricted bool
	SkipVerify   bool   // do not compare archives with their pinned hashes
	CacheDir     string // where what was fetched and built is kept; "" is the user's cache
}

func (s Source) renderOptions() release.RenderOptions {
	return release.RenderOptions{Mirror: s.Mirror, SkipVerify: s.SkipVerify, Unrestricted: s.Unrestricted, Only: s.Only, Skip: s.Skip, CacheDir: s.CacheDir}
}

// choose returns the release to install: the one asked for, or the newest that was tested on the cluster's Kubernetes.
func (s Source) choose(ctx context.Context, view cluster.View) (string, error) {
	if s.Release != "" || s.File != "" {
		return s.Release, nil
	}
	version, err := view.Version(ctx)
	if err != nil {
		return "", err
	}
	newest, ok := release.Newest(version.GitVersion)
	if !ok {
		return "", &problem.Error{Usage: true, What: fmt.Sprintf("no Kubeflow release was tested on Kubernetes %s", strings.TrimPrefix(version.GitVersion, "v")),
			Next: "See them with: kubectl kubeflow releases, and name one with --release"}
	}
	return newest.Version, nil
}

// installationName is kubeflow for everything that is a Kubeflow, and the file's name for other manifests, so that
// these never take a Kubeflow's place.
func (s Source) installationName(rendered *release.Rendered) string {
	if s.Name != "" {
		return s.Name
	}
	if rendered.Release != nil || rendered.Namespace != "" {
		return "kubeflow"
	}
	address, _, _ := strings.Cut(redact.URL(s.File), "?")
	base := filepath.Base(strings.TrimRight(address+strings.Join(s.Dirs, "-"), "/")) // one of them is empty
	base = strings.TrimSuffix(base, filepath.Ext(base))
	base = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(base), "-"), "-")
	if base = strings.Trim(base[:min(len(base), 25)], "-"); base == "" {
		return "manifests"
	}
	return base
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// title is what messages call it: "Kubeflow 26.03", or the file's name.
func (s Source) title(rendered *release.Rendered) string {
	switch {
	case rendered.Release != nil:
		return rendered.Release.String()
	case s.File == "-":
		return "manifests from standard input"
	case s.File != "":
		return redact.URL(s.File)
	}
	return "manifests in " + strings.Join(s.Dirs, " and ")
}

// Render turns a release or a file into objects.
func Render(ctx context.Context, in release.Input, o release.RenderOptions, notify Notify) (*release.Rendered, error) {
	notify.following(&o)
	rendered, err := release.Render(ctx, in, o)
	if err != nil {
		return nil, unrendered(ctx, err)
	}
	notify.rendered(rendered)
	return rendered, nil
}

// rendered reports what to know about what was rendered.
func (n Notify) rendered(rendered *release.Rendered) {
	n.step("")
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
	notify.following(&o)
	got, err := release.Download(ctx, folder, releases, o)
	if err != nil {
		return nil, unrendered(ctx, err)
	}
	return got, nil
}
