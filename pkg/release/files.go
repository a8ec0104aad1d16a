package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kustomization"
)

const kustomizeGroup = "kustomize.config.k8s.io"

// fromFile reads what the user named: stdin, a URL, a folder or a file.
func (r *rendering) fromFile(ctx context.Context, in Input) ([]part, error) {
	name := in.File
	switch {
	case name == "-" && in.Stdin == nil:
		return nil, &problem.Error{Usage: true, What: "there is no standard input", Next: "Name a file"}
	case name == "-":
		content, err := bounded.All(ctx, in.Stdin, bounded.Manifests)
		if err != nil {
			return nil, unread(ctx, "standard input", err)
		}
		return r.fromContent(ctx, "standard input", content, ".")
	case strings.HasPrefix(name, "file:"):
		name = archive.LocalPath(name)
	case strings.Contains(name, "://"):
		return r.fromURL(ctx, name)
	}
	stat, err := os.Stat(name)
	if _, remote, _ := kustomization.ParseRemote(name); err != nil && remote {
		return r.fromURL(ctx, name)
	}
	if err != nil {
		return nil, &problem.Error{Usage: true, What: "reading " + name, Next: "Name a KfDef, a kustomization or rendered YAML", Err: errors.Unwrap(err)}
	}
	if isArchive(name) || stat.IsDir() && holdsDistribution(name) {
		return r.fromDistribution(ctx, name)
	}
	if stat.IsDir() {
		return r.fromFolder(ctx, name)
	}
	switch filepath.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return r.fromFolder(ctx, filepath.Dir(name))
	}
	content, err := bounded.File(ctx, name, bounded.Manifests)
	if err != nil {
		return nil, unread(ctx, name, err)
	}
	return r.fromContent(ctx, name, content, filepath.Dir(name))
}

// unread is the error for a file that cannot be read, or not within the limits.
func unread(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err
	}
	return &problem.Error{Usage: true, What: "reading " + name, Next: "Name a file that can be read", Err: err}
}

// fromContent reads a KfDef or rendered objects.
func (r *rendering) fromContent(ctx context.Context, name string, content []byte, beside string) ([]part, error) {
	objects, err := documents(name, content)
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, &problem.Error{Usage: true, What: name + " holds no Kubernetes objects", Next: "Name a KfDef, a kustomization or rendered YAML"}
	}
	for _, object := range objects {
		switch object.GroupVersionKind().Group {
		case kfdef.Group:
			if len(objects) > 1 {
				return nil, &problem.Error{Usage: true, What: name + " holds a KfDef and other objects", Next: "Give the KfDef a file of its own"}
			}
			return r.fromKfDef(ctx, name, content, beside)
		case kustomizeGroup:
			return nil, &problem.Error{Usage: true, What: name + " is a kustomization, which needs the files beside it", Next: "Name its folder"}
		}
	}
	return []part{{name: component(name), objects: objects}}, nil
}

// component names a component after its file or folder.
func component(name string) string {
	base := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	if base == "" || base == "." || base == "standard input" {
		return "objects"
	}
	return base
}

// fromFolder reads a kustomization, or else every YAML and JSON file below: one component for each file,
// or for each folder that contains some.
func (r *rendering) fromFolder(ctx context.Context, folder string) ([]part, error) {
	whole, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", folder, err)
	}
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if _, err := os.Stat(filepath.Join(whole, name)); err == nil {
			r.tree.Sealed, r.tree.Unrestricted = false, r.options.Unrestricted
			return []part{{name: component(whole), folders: []string{whole}}}, nil
		}
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, unread(ctx, folder, err)
	}
	defer func() { _ = root.Close() }()
	var parts []part
	err = fs.WalkDir(root.FS(), ".", func(inside string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isYAML(inside) {
			return err
		}
		name := filepath.Join(folder, filepath.FromSlash(inside))
		content, err := bounded.Inside(root, inside, bounded.Manifests)
		if err != nil && r.options.Unrestricted {
			content, err = bounded.File(ctx, name, bounded.Manifests)
		}
		if err != nil {
			return unread(ctx, name, err)
		}
		found, err := r.fromContent(ctx, name, content, filepath.Dir(name))
		if err != nil {
			return err
		}
		parts = r.join(parts, found, folder, name)
		return nil
	})
	if err == nil && len(parts) == 0 {
		err = &problem.Error{Usage: true, What: folder + " holds no YAML", Next: "Name a folder with a kustomization or rendered YAML"}
	}
	return parts, err
}

// join adds the objects of one file to the component of its folder.
func (r *rendering) join(parts, found []part, folder, name string) []part {
	if filepath.Dir(name) == filepath.Clean(folder) || len(found) != 1 || found[0].folders != nil {
		return append(parts, found...)
	}
	found[0].name = filepath.Base(filepath.Dir(name))
	if last := len(parts) - 1; last >= 0 && parts[last].name == found[0].name {
		parts[last].objects = append(parts[last].objects, found[0].objects...)
		return parts
	}
	return append(parts, found...)
}

func isYAML(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// fromURL reads a file of a known release, from its pinned archive; any other file; or a folder of a
// repository.
func (r *rendering) fromURL(ctx context.Context, address string) ([]part, error) {
	if archiveURL, file, ok := raw(address); ok {
		if _, release, known := known(archiveURL); known && release != nil {
			return r.fromArchivedFile(ctx, archiveURL, file)
		}
	}
	if scheme, _, ok := strings.Cut(address, "://"); ok && scheme != "https" && scheme != "http" && scheme != "ssh" && scheme != "git" {
		return nil, &problem.Error{Usage: true, What: "nothing can be fetched over " + scheme + "://", Next: "Give an https address, or fetch it yourself and name the file"}
	}
	remote, _, err := kustomization.ParseRemote(address)
	if isArchive(address) {
		remote, err = kustomization.Remote{URL: address}, nil
	}
	if err != nil {
		return nil, &problem.Error{Usage: true, What: address + " cannot be used", Next: "Give the address of a file or of a folder on github.com with ?ref=", Err: err}
	}
	a, err := r.fetch(ctx, remote.URL)
	if err != nil {
		return nil, err
	}
	if a.Single != "" {
		return r.fromContent(ctx, address, a.Files[a.Single], "")
	}
	if kfdef.KustomizationIn(a, path.Clean(remote.Path)) == "" {
		return nil, &problem.Error{Usage: true, What: address + " holds no kustomization", Next: "Name a folder that has one, as REPOSITORY/FOLDER?ref=TAG"}
	}
	folder := path.Join(r.tree.Mount("input", a), remote.Path)
	return []part{{name: component(folder), folders: []string{folder}}}, nil
}

func isArchive(address string) bool {
	plain, _, _ := strings.Cut(address, "?")
	return strings.HasSuffix(plain, ".tar.gz") || strings.HasSuffix(plain, ".tgz") || strings.HasSuffix(plain, ".tar")
}

// wholeOf is the kustomization of everything in Kubeflow's manifests, from 1.3 on.
const wholeOf = "example"

// holdsDistribution reports whether a folder is an unpacked archive of Kubeflow's manifests.
func holdsDistribution(folder string) bool {
	has := func(inside ...string) bool {
		_, err := os.Stat(filepath.Join(append([]string{folder}, inside...)...))
		return err == nil
	}
	return has(wholeOf, "kustomization.yaml") && has("common") && !has("kustomization.yaml")
}

// fromDistribution reads an archive of Kubeflow's manifests on disk, packed or unpacked, as the release that its name says.
func (r *rendering) fromDistribution(ctx context.Context, name string) ([]part, error) {
	whole, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", name, err)
	}
	a, err := r.fetch(ctx, whole)
	if err != nil {
		return nil, err
	}
	if kfdef.KustomizationIn(a, wholeOf) == "" {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("%s holds no kustomization in %s", name, wholeOf), Next: "Unpack it, and name a KfDef, or the folder of a kustomization in it"}
	}
	release := Release{Kustomization: wholeOf}
	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(whole), ".tgz"), ".tar.gz")
	if version := versionInName.FindString(base); version != "" {
		if release, err = Find(version); err != nil || release.Kustomization == "" {
			release = r.tagged(version, "")
		}
		r.out.Release = &release
	}
	return r.fromKustomization(ctx, release, a)
}

// versionInName finds the version in the name of an archive or of its folder: manifests-1.9.2, v1.10.0-rc.1, community-distribution-26.03.
var versionInName = regexp.MustCompile(`\d+\.\d+(\.\d+)?(-rc\.?\d+)?$`)

func (r *rendering) fromArchivedFile(ctx context.Context, archiveURL, file string) ([]part, error) {
	a, err := r.fetch(ctx, archiveURL)
	if err != nil {
		return nil, err
	}
	content, ok := a.Files[file]
	if !ok {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("%s holds no %s", archiveURL, file), Next: "Check the address"}
	}
	if kfdef.KustomizationIn(a, path.Dir(file)) == file {
		folder := path.Join(r.tree.Mount("input", a), path.Dir(file))
		return []part{{name: component(folder), folders: []string{folder}}}, nil
	}
	return r.fromContent(ctx, path.Base(file), content, "")
}
