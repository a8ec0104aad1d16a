package release

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/atomicfile"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// ImagesFile is the name of the image list in a folder that Download has written.
const ImagesFile = "images.txt"

// A Downloaded is the content of a mirror after Download.
type Downloaded struct {
	// Releases are the requested ones, rendered.
	Releases []*Rendered
	// Files are the archives and files that rendering them reads, below the folder.
	Files []string
	// Images are all images of the releases, sorted and unique; ImagesFile has one per line.
	Images []string
}

// Download fills a folder so that RenderOptions.Mirror can read these releases from it without a network:
// each archive is verified and rendered, and what the render fetched on the way is kept too.
func Download(ctx context.Context, folder string, names []string, o RenderOptions) (*Downloaded, error) {
	if same(folder, o.Mirror) {
		return nil, &problem.Error{Usage: true, What: "the folder to fill is the mirror to read from", Next: "Name another folder"}
	}
	d := &Downloaded{}
	var failed error
	o.Keep = func(address string, content []byte) {
		place, ok := archive.MirrorPath(address)
		if !ok {
			return
		}
		if have, err := bounded.In(folder, filepath.FromSlash(place), int64(len(content))); err != nil || !bytes.Equal(have, content) {
			if err := atomicfile.Into(folder, place, content, atomicfile.Plain); err != nil && failed == nil {
				failed = err
			}
		}
		if !slices.Contains(d.Files, place) {
			d.Files = append(d.Files, place)
		}
	}
	for _, name := range names {
		rendered, err := Render(ctx, Input{Release: name}, o)
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, fmt.Errorf("downloading Kubeflow %s: %w", strings.TrimPrefix(name, "v"), err)
		}
		d.Releases = append(d.Releases, rendered)
		d.Images = append(d.Images, Images(rendered.Objects())...)
	}
	slices.Sort(d.Files)
	slices.Sort(d.Images)
	d.Images = slices.Compact(d.Images)
	list := strings.Join(d.Images, "\n") + "\n"
	if err := atomicfile.Into(folder, ImagesFile, []byte(list), atomicfile.Plain); err != nil {
		return nil, fmt.Errorf("writing the list of images: %w", err)
	}
	return d, nil
}

func same(folder, mirror string) bool {
	if mirror == "" || archive.IsURL(mirror) {
		return false
	}
	a, errA := filepath.Abs(folder)
	b, errB := filepath.Abs(archive.LocalPath(mirror))
	return errA == nil && errB == nil && a == b
}
