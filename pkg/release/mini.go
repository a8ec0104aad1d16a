package release

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// mini is a small release in the shape of Kubeflow, for demonstrations and tests without an archive. It
// has the same kinds and names as Kubeflow 1.2, with the same problems.
//
//go:embed mini
var mini embed.FS

// embedded returns the archive of a release that is part of this program.
func embedded(release Release) (*archive.Archive, error) {
	a := &archive.Archive{Files: map[string][]byte{}}
	err := fs.WalkDir(mini, release.Version, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		a.Files[strings.TrimPrefix(name, release.Version+"/")], err = mini.ReadFile(name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the embedded %s: %w", release, err)
	}
	return a, nil
}
