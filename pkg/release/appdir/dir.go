package appdir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// The names in an application directory.
const (
	configFile = "kubeflow.yaml"
	lockFile   = "kubeflow.lock"
	kustomize  = "kustomize"
	base       = "base"
	changed    = "base.changed" // a base that the user edited, kept by the next build
	rendered   = "rendered"
	gitOps     = "gitops"
)

// A Dir is an application directory in memory. Nothing is written before Save.
type Dir struct {
	// Path is its path on disk.
	Path string
	// KfDef is kfctl's configuration in it; empty unless kfctl created the directory.
	KfDef string
	// Config and Lock are read from its files; zero in an empty directory and in kfctl's.
	Config Config
	Lock   Lock

	files   map[string][]byte // all files, by name with slashes, except rendered/ and .git
	write   map[string][]byte // changed since Open
	remove  []string
	foreign []string // its entries besides hidden files, if it is not an application directory
}

// Empty reports whether nothing has been built into the directory; it may not exist.
func (d *Dir) Empty() bool { return d.KfDef == "" && d.Config.Kind == "" }

// Open reads an application directory. A path that does not exist, or an empty folder, is an empty one.
func Open(name string) (*Dir, error) {
	d := &Dir{Path: name, files: map[string][]byte{}, write: map[string][]byte{}}
	switch stat, err := os.Stat(name); {
	case name == "":
		return nil, &problem.Error{Usage: true, What: "--dir names no directory", Next: "Name one"}
	case errors.Is(err, fs.ErrNotExist):
		return d, nil
	case err != nil:
		return nil, unopened(name, err)
	case !stat.IsDir():
		return nil, &problem.Error{Usage: true, What: name + " is a file, and --dir takes a directory", Next: "Name a directory; a file is given with --filename"}
	}
	if err := d.read(); err != nil {
		return nil, err
	}
	return d, d.recognise()
}

func unopened(name string, err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err
	}
	return &problem.Error{Usage: true, What: "the directory " + name + " cannot be read", Next: "Name one that can be read", Err: err}
}

// read reads all files into memory. Links are followed if they stay inside.
func (d *Dir) read() error {
	root, err := os.OpenRoot(d.Path)
	if err != nil {
		return unopened(d.Path, err)
	}
	defer func() { _ = root.Close() }()
	total := int64(0)
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == ".git" || name == rendered):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		stat, err := root.Stat(name)
		if err != nil || !stat.Mode().IsRegular() {
			return nil // a broken link or one that leads outside, a socket: not used by a build
		}
		if total += stat.Size(); total > archive.DefaultLimits.Total || len(d.files) >= archive.DefaultLimits.Entries {
			return &problem.Error{Usage: true, What: d.Path + " is too large to be an application directory", Next: "Name another one"}
		}
		d.files[name], err = bounded.Inside(root, name, archive.DefaultLimits.File)
		return err
	})
	var input *problem.Error
	if err != nil && !errors.As(err, &input) {
		return unopened(d.Path, err)
	}
	return err
}

// recognise distinguishes this program's directories, kfctl's, empty ones and others.
func (d *Dir) recognise() (err error) {
	if content, ok := d.files[configFile]; ok && !isKfDef(content) {
		if d.Config, err = ParseConfig(path.Join(d.Path, configFile), content); err != nil {
			return err
		}
		content, ok := d.files[lockFile]
		if !ok {
			return nil // removed, as the message about an invalid lock advises; the bases are then not compared
		}
		d.Lock, err = ParseLock(path.Join(d.Path, lockFile), content)
		return err
	}
	var kfdefs []string
	for name, content := range d.files {
		switch {
		case strings.HasPrefix(name, "."):
		case !strings.Contains(name, "/") && isKfDef(content):
			kfdefs = append(kfdefs, name)
		default:
			d.foreign = append(d.foreign, name)
		}
	}
	slices.Sort(d.foreign)
	if len(kfdefs) > 1 {
		slices.Sort(kfdefs)
		return &problem.Error{Usage: true, What: fmt.Sprintf("%s holds several KfDefs: %s", d.Path, strings.Join(kfdefs, ", ")),
			Next: "Leave the one that kfctl was last given, or name it with --filename"}
	}
	if len(kfdefs) == 1 {
		d.KfDef, d.foreign = kfdefs[0], nil
	}
	return nil
}

func isKfDef(content []byte) bool {
	if !bytes.Contains(content, []byte("KfDef")) {
		return false
	}
	var head struct{ APIVersion, Kind string }
	return bounded.YAML(content) == nil && yaml.Unmarshal(content, &head) == nil && head.Kind == "KfDef"
}

// usable returns an error for a directory that is neither empty nor an application directory.
func (d *Dir) usable() error {
	if len(d.foreign) == 0 {
		return nil
	}
	return &problem.Error{
		Usage: true,
		What:  fmt.Sprintf("%s is not an application directory: it holds %s, and no %s", d.Path, text.List(d.foreign, 3), configFile),
		Next:  "Name another one, or a new one to build into",
	}
}
