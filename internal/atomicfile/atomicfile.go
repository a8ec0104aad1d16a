// Package atomicfile writes files: each appears whole or not at all, and none is written or removed through a link that
// leads out of the folder it belongs to.
//
// Everything that this program writes to disk passes through [Write], [Into] or [Remove]; a test in cmd/kubectl-kubeflow
// finds what does not.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// The permissions of files, before the umask.
const (
	Plain   fs.FileMode = 0o666
	Secret  fs.FileMode = 0o600
	Program fs.FileMode = 0o777
)

// Write writes a file in a folder. Names have slashes; folders are created as needed. A link in the file's place is replaced,
// not followed.
func Write(root *os.Root, name string, content []byte, mode fs.FileMode) error {
	if err := root.MkdirAll(path.Dir(name), 0o777); err != nil {
		return err
	}
	unfinished := path.Join(path.Dir(name), ".new-"+rand.Text())
	file, err := root.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = root.Rename(unfinished, name)
	}
	if err != nil {
		_ = root.Remove(unfinished)
	}
	return err
}

// Into writes a file below a folder, which is created if it does not exist.
func Into(folder, name string, content []byte, mode fs.FileMode) error {
	root, err := Folder(folder)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return Write(root, filepath.ToSlash(name), content, mode)
}

// Folder opens a folder, which is created if it does not exist.
func Folder(name string) (*os.Root, error) {
	if err := os.MkdirAll(name, 0o777); err != nil {
		return nil, err
	}
	return os.OpenRoot(name)
}

// Remove removes a file, which may be gone, and the folders above it that are then empty.
func Remove(root *os.Root, name string) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for up := path.Dir(name); up != "."; up = path.Dir(up) {
		if root.Remove(up) != nil { // it is not empty
			break
		}
	}
	return nil
}
