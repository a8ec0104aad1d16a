package kustomization

import (
	"errors"
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// disk tells what exists on the user's disk; readDisk reads it.
var disk = filesys.MakeFsOnDisk()

var errUnused = errors.New("a build does not need this")

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

// Open refuses: files are read through ReadFile.
func (t *Tree) Open(string) (filesys.File, error) { return nil, errUnused }

// ReadDir refuses: a build lists no folders.
func (t *Tree) ReadDir(string) ([]string, error) { return nil, errUnused }

// Glob refuses: a build lists no folders.
func (t *Tree) Glob(string) ([]string, error) { return nil, errUnused }

// Walk refuses: a build lists no folders.
func (t *Tree) Walk(string, filepath.WalkFunc) error { return errUnused }
