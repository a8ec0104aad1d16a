package kustomization

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// root is the folder below which a Tree shows archives. Everything else is the user's disk.
const root = "/.kubectl-kubeflow-archives"

// A Tree shows mounted archives, and the disk beside them, as one read-only file system. Several
// builds may read it at once.
type Tree struct {
	// Fetch fetches the pinned content of a reference; it is called once for each address.
	Fetch func(Remote) (*archive.Archive, error)
	// Sealed excludes the disk: a kustomization can then read only mounted archives.
	Sealed bool
	// Unrestricted lets a kustomization on disk read files outside its folder, as kustomize's LoadRestrictionsNone does.
	Unrestricted bool

	mu       sync.Mutex
	fetching sync.Mutex
	mounts   map[string]*mount  // by their folder's name below root
	remote   map[string]brought // by address
	fault    error              // the first reference that could not be resolved
	origins  string             // the kustomization whose build records the files that objects come from; usually empty
	roots    map[string]bool    // folders on disk whose kustomization was read
}

// A mount is one archive, with the folders of its files.
type mount struct {
	*archive.Archive
	folders map[string]bool
}

var errReadOnly = errors.New("this file system is read-only")

// Mount mounts an archive under a name and returns its folder.
func (t *Tree) Mount(name string, a *archive.Archive) string {
	folder := path.Join(root, name)
	t.mu.Lock()
	defer t.mu.Unlock()
	if have := t.mounts[name]; have != nil && have.Archive == a {
		return folder
	}
	m := &mount{Archive: a, folders: map[string]bool{".": true}}
	for file := range a.Files {
		for dir := path.Dir(file); !m.folders[dir]; dir = path.Dir(dir) {
			m.folders[dir] = true
		}
	}
	if t.mounts == nil {
		t.mounts = map[string]*mount{}
	}
	t.mounts[name] = m
	return folder
}

// find distinguishes paths in archives from those on disk, and follows links inside an archive.
func (t *Tree) find(name string) (m *mount, inside string, ok bool) {
	_, mountName, inside, ok := split(name)
	if !ok {
		return nil, "", false
	}
	t.mu.Lock()
	m = t.mounts[mountName]
	t.mu.Unlock()
	if m == nil {
		t.leaves(name)
		return &mount{Archive: &archive.Archive{}}, inside, true
	}
	return m, m.follow(path.Clean(inside)), true
}

// split finds a mount in a path, with what comes before it: a single remote file is shown below the folder of the
// kustomization that refers to it, as if it were inside.
func split(name string) (before, mountName, inside string, ok bool) {
	slashed := path.Clean(filepath.ToSlash(strings.TrimPrefix(name, filepath.VolumeName(name))))
	at := strings.LastIndex(slashed, root+"/")
	if at < 0 {
		return "", "", "", false
	}
	mountName, inside, _ = strings.Cut(slashed[at+len(root)+1:], "/")
	return slashed[:at], mountName, inside, true
}

// follow resolves the links in a path. More than forty are treated as a cycle.
func (m *mount) follow(name string) string {
	for range 40 {
		next := m.step(name)
		if next == name {
			return name
		}
		name = next
	}
	return name
}

func (m *mount) step(name string) string {
	if len(m.Links) == 0 {
		return name
	}
	for at := name; at != "." && at != "/"; at = path.Dir(at) {
		if target, ok := m.Links[at]; ok {
			return path.Join(target, strings.TrimPrefix(name, at))
		}
	}
	return name
}

// ReadFile returns a file's content; in a kustomization, fields of older versions are translated and remote references rewritten.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	content, err := t.read(name)
	if err == nil {
		err = t.harmless(name, content)
	}
	if err == nil {
		content, err = t.translate(name, content)
	}
	if err == nil && t.wantsOrigins(name) {
		content, err = recordOrigins(content)
	}
	if err != nil {
		if errors.Is(err, ErrLeaves) || errors.Is(err, errAddress) {
			t.blame(err)
		}
		return nil, err
	}
	if !isKustomizationFile(name) {
		return content, nil
	}
	rewritten, err := t.rewrite(name, content)
	if err == nil {
		err = t.escape(name, rewritten)
	}
	if err != nil {
		t.blame(err)
	}
	return rewritten, err
}

func (t *Tree) read(name string) ([]byte, error) {
	m, inside, ok := t.find(name)
	if !ok {
		return t.readDisk(name)
	}
	content, ok := m.Files[inside]
	if !ok {
		return nil, fmt.Errorf("'%s' doesn't exist: %w", inside, fs.ErrNotExist)
	}
	return content, nil
}

// blame records the first error, because kustomize hides it among the errors of its other attempts.
func (t *Tree) blame(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fault == nil {
		t.fault = err
	}
}

// IsDir is part of kustomize's file system.
func (t *Tree) IsDir(name string) bool {
	m, inside, ok := t.find(name)
	if !ok {
		return t.disk(name).IsDir(name)
	}
	return m.folders[inside]
}

// Exists is part of kustomize's file system.
func (t *Tree) Exists(name string) bool {
	m, inside, ok := t.find(name)
	if !ok {
		return t.disk(name).Exists(name)
	}
	_, file := m.Files[inside]
	return file || m.folders[inside]
}

// CleanedAbs is part of kustomize's file system.
func (t *Tree) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	if isKustomizationFile(name) && t.Exists(name) && !t.IsDir(name) { // also a link is read by this name, and so rewritten
		dir, _, err := t.CleanedAbs(filepath.Dir(name))
		return dir, filepath.Base(name), err
	}
	m, inside, ok := t.find(name)
	switch {
	case !ok:
		return t.disk(name).CleanedAbs(name)
	case m.folders[inside]:
		return filesys.ConfirmedDir(filepath.FromSlash(t.outside(name, inside))), "", nil
	case m.Files[inside] != nil:
		dir, file := path.Split(t.outside(name, inside))
		return filesys.ConfirmedDir(filepath.FromSlash(path.Clean(dir))), file, nil
	}
	return "", "", fmt.Errorf("'%s' doesn't exist: %w", inside, fs.ErrNotExist)
}

// outside returns the full path of a name in the mount that a path leads to.
func (t *Tree) outside(name, inside string) string {
	before, mountName, _, _ := split(name)
	return path.Join(before, root, mountName, inside)
}

// brought is the mount of a remote reference's content, and its name if it is a single file.
type brought struct{ folder, single string }
