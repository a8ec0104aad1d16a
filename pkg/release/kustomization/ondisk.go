package kustomization

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// ErrOutside is the error for a file that a kustomization on disk reads outside its folder.
var ErrOutside = errors.New("the file is outside the folder of the kustomization")

// readDisk reads a file for a kustomization on disk. kustomize checks that the file is inside the kustomization's folder; here
// it is read from inside a folder whose kustomization was read, so that a link that is changed in between leads nowhere.
func (t *Tree) readDisk(name string) ([]byte, error) {
	switch {
	case t.Sealed:
		t.leaves(name)
		return nil, &ReferenceError{Reference: name, File: "a kustomization", Err: ErrLeaves}
	case t.Unrestricted:
		return bounded.File(context.Background(), name, bounded.Manifests)
	case isKustomizationFile(name):
		t.enter(filepath.Dir(name))
		return bounded.In(filepath.Dir(name), filepath.Base(name), bounded.Manifests)
	}
	if folder, inside := t.entered(name); folder != "" {
		return bounded.In(folder, inside, bounded.Manifests)
	}
	return nil, &ReferenceError{Reference: name, File: "a kustomization", Err: ErrOutside}
}

func (t *Tree) enter(folder string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.roots == nil {
		t.roots = map[string]bool{}
	}
	t.roots[folder] = true
}

// entered returns the deepest folder that a file is in and whose kustomization was read, and the file's name there.
func (t *Tree) entered(name string) (deepest, inside string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for folder := range t.roots {
		if below, err := filepath.Rel(folder, name); err == nil && filepath.IsLocal(below) && len(folder) > len(deepest) {
			deepest, inside = folder, below
		}
	}
	return deepest, inside
}

// outsider returns the error for a file that kustomize refused to load, as it has no type for it.
func outsider(err error) error {
	match := restricted.FindStringSubmatch(err.Error())
	if match == nil {
		return nil
	}
	reference, folder := match[1], match[2]
	if target, err := os.Readlink(reference); err == nil {
		reference += " (a link to " + target + ")"
	}
	return &ReferenceError{Reference: reference, File: "the kustomization in " + folder, Err: ErrOutside}
}
