package appdir

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

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

// Save writes what changed since Open. Each file is written atomically, and the lock last: after an
// interrupted build the bases do not match the lock.
func (d *Dir) Save() error {
	names := slices.Sorted(maps.Keys(d.write))
	slices.SortStableFunc(names, func(a, b string) int { return order(a) - order(b) })
	for _, name := range names {
		if err := writeFile(filepath.Join(d.Path, filepath.FromSlash(name)), d.write[name]); err != nil {
			return unwritten(d.Path, err)
		}
	}
	for _, name := range d.remove {
		if _, back := d.write[name]; back {
			continue
		}
		file := filepath.Join(d.Path, filepath.FromSlash(name))
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unwritten(d.Path, err)
		}
		for up := filepath.Dir(file); up != filepath.Clean(d.Path); up = filepath.Dir(up) {
			if os.Remove(up) != nil { // it is not empty
				break
			}
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

// writeFile writes a file atomically; one that contains a Secret is readable only by its owner.
func writeFile(name string, content []byte) error {
	folder := filepath.Dir(name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil && !holdsSecret(string(content)) {
		err = os.Chmod(file.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// holdsSecret reports whether a file contains a Secret, as this package writes it.
func holdsSecret(content string) bool {
	return strings.HasPrefix(content, "kind: Secret\n") || strings.Contains(content, "\nkind: Secret\n")
}
