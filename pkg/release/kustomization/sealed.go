package kustomization

import (
	"errors"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// ErrLeaves is the error for a path that leaves a sealed tree.
var ErrLeaves = errors.New("this leads out of the directory or archive; what its kustomizations need must be inside it")

// disk returns the user's files, or nothing in a sealed tree.
func (t *Tree) disk(name string) filesys.FileSystem {
	if !t.Sealed {
		return disk
	}
	t.leaves(name)
	return filesys.MakeFsInMemory()
}

// leaves records a path outside a sealed tree. kustomize itself would only report that it does not exist.
func (t *Tree) leaves(name string) {
	slashed := path.Clean(filepath.ToSlash(name))
	if !t.Sealed || slashed == root || slashed == "/" {
		return
	}
	shown := strings.TrimPrefix(strings.TrimPrefix(slashed, root), "/")
	if !strings.HasPrefix(slashed, root+"/") {
		shown = slashed
	}
	t.blame(&ReferenceError{Reference: shown, File: "a kustomization", Err: ErrLeaves})
}
