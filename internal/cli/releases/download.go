package releases

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A downloadResult is the -o json and -o yaml document of --download.
type downloadResult struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Folder     string   `json:"folder"`
	Releases   []string `json:"releases"`
	Files      []string `json:"files"`
	Images     []string `json:"images"`
	// Gone are the images that can no longer be pulled, each with its replacement, or "".
	Gone map[string]string `json:"gone,omitempty"`

	affected []string // the releases that use them
}

// downloadReleases downloads releases into a folder that --mirror reads.
func (o *releasesOptions) downloadReleases(ctx context.Context) error {
	names := o.wanted
	if len(names) == 0 {
		kubernetes, _ := o.cluster(ctx)
		newest, ok := release.Newest(kubernetes)
		if !ok {
			return &problem.Error{Usage: true, What: "no cluster to choose a release for, or no release was tested on its Kubernetes version", Next: "Specify the release, for example: kubectl kubeflow releases --download " + escape.Word(o.download) + " --release 26.03"}
		}
		names = []string{newest.Version}
	}
	got, err := kubeflow.Download(ctx, o.download, names, release.RenderOptions{Mirror: o.mirror, SkipVerify: o.skipVerify}, o.Notify)
	if err != nil {
		return err
	}
	result := downloadResult{APIVersion: "kubeflow.release/v1alpha1", Kind: "Download", Folder: o.download, Files: got.Files, Images: got.Images, Gone: map[string]string{}}
	seen := map[string]bool{}
	for _, rendered := range got.Releases {
		result.Releases = append(result.Releases, rendered.Release.Version)
		for _, warning := range rendered.Warnings {
			if !seen[warning] {
				o.Screen().Say("Warning: %s", warning)
			}
			seen[warning] = true
		}
		before := len(result.Gone)
		for _, image := range release.Images(rendered.Objects()) {
			if instead, ok := rendered.Release.Pullable(image); !ok {
				result.Gone[image] = instead
			}
		}
		if len(result.Gone) > before {
			result.affected = append(result.affected, rendered.Release.Version)
		}
	}
	return o.showDownload(result)
}

// showDownload shows what is in the folder, and how to use it.
func (o *releasesOptions) showDownload(r downloadResult) error {
	switch o.output {
	case "json", "yaml":
		return cli.PrintDocument(o.Out, o.output, r)
	case "name":
		for _, file := range r.Files {
			fmt.Fprintln(o.Out, filepath.Join(o.download, filepath.FromSlash(file)))
		}
		return nil
	}
	for _, file := range append(r.Files, release.ImagesFile) {
		fmt.Fprintln(o.Out, filepath.Join(o.download, filepath.FromSlash(file)))
	}
	o.Screen().Say("%s, and a list of %s", text.Plural(len(r.Files), "file"), text.Plural(len(r.Images), "image"))
	if len(r.Gone) > 0 {
		o.Screen().Say("Warning: %d of these images can no longer be pulled; for replacements: kubectl kubeflow releases %s", len(r.Gone), escape.Words(r.affected...))
	}
	o.Screen().Say("To install from it: kubectl kubeflow install --release %s --mirror %s", escape.Word(r.Releases[0]), escape.Word(o.download))
	return nil
}
