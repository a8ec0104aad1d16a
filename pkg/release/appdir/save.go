package appdir

import (
	"errors"
	"io/fs"
	"maps"
	"regexp"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/atomicfile"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// put changes a file in memory. A file that has that content already is not written again.
func (d *Dir) put(name string, content []byte) {
	if have, ok := d.files[name]; !ok || string(have) != string(content) {
		d.write[name] = content
	}
	d.files[name] = content
}

func (d *Dir) drop(name string) {
	delete(d.files, name)
	delete(d.write, name)
	d.remove = append(d.remove, name)
}

// Save writes what changed since Open. Each file is written atomically and inside the directory, and the lock last: after an
// interrupted build the bases do not match the lock.
func (d *Dir) Save() error {
	names := slices.Sorted(maps.Keys(d.write))
	slices.SortStableFunc(names, func(a, b string) int { return order(a) - order(b) })
	root, err := atomicfile.Folder(d.Path)
	if err != nil {
		return unwritten(d.Path, err)
	}
	defer func() { _ = root.Close() }()
	for _, name := range names {
		mode := atomicfile.Plain
		if holdsSecret.Match(d.write[name]) {
			mode = atomicfile.Secret
		}
		if err := atomicfile.Write(root, name, d.write[name], mode); err != nil {
			return unwritten(d.Path, err)
		}
	}
	for _, name := range d.remove {
		if _, back := d.write[name]; back {
			continue
		}
		if err := atomicfile.Remove(root, name); err != nil {
			return unwritten(d.Path, err)
		}
	}
	d.write, d.remove = map[string][]byte{}, nil
	return nil
}

func order(name string) int {
	switch name {
	case configFile:
		return 1
	case lockFile:
		return 2
	}
	return 0
}

func unwritten(name string, err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err
	}
	return &problem.Error{Usage: true, What: "the directory " + name + " cannot be written", Next: "Name one that can be written, or make room there; then run the same command again", Err: err}
}

// holdsSecret matches a file that contains a Secret, which only its owner may read.
var holdsSecret = regexp.MustCompile(`kind["']?\s*:\s*["']?Secret\b`)
