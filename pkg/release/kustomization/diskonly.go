package kustomization

import (
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// disk is the user's disk, for a kustomization there.
var disk = filesys.MakeFsOnDisk()

// The rest of kustomize's file system interface: a build neither writes nor lists folders.

// Create refuses to write.
func (t *Tree) Create(string) (filesys.File, error) { return nil, errReadOnly }

// Mkdir refuses to write.
func (t *Tree) Mkdir(string) error { return errReadOnly }

// MkdirAll refuses to write.
func (t *Tree) MkdirAll(string) error { return errReadOnly }

// RemoveAll refuses to write.
func (t *Tree) RemoveAll(string) error { return errReadOnly }

// WriteFile refuses to write.
func (t *Tree) WriteFile(string, []byte) error { return errReadOnly }

// Open opens a file on disk.
func (t *Tree) Open(name string) (filesys.File, error) { return t.disk(name).Open(name) }

// ReadDir lists a folder on disk.
func (t *Tree) ReadDir(name string) ([]string, error) { return t.disk(name).ReadDir(name) }

// Glob finds files on disk.
func (t *Tree) Glob(pattern string) ([]string, error) { return t.disk(pattern).Glob(pattern) }

// Walk visits files on disk.
func (t *Tree) Walk(name string, visit filepath.WalkFunc) error {
	return t.disk(name).Walk(name, visit)
}
