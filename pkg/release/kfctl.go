package release

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// kfctl unpacked a KfDef's repositories in .cache/REPOSITORY/TOP, where TOP is the archive's top
// folder, and in kustomize/APPLICATION what it built: a kustomization that refers to the cache or, up
// to Kubeflow 1.0, a copy of the application with its layers merged. Users edited the latter.
const (
	kfctlCache      = ".cache"
	kustomizeFolder = "kustomize"
)

// fromKfctl returns the parts of a directory that kfctl created. An application is built from the user's
// version in kustomize/; if that does not build or does not exist, from its KfDef.
func (r *rendering) fromKfctl(ctx context.Context, d Directory) ([]part, error) {
	name := path.Join(d.Path, d.KfDef)
	def, err := kfdef.Parse(name, d.Files.Files[d.KfDef])
	if err != nil {
		return nil, err
	}
	r.kfdef, r.out.Namespace = true, def.Metadata.Namespace
	all := archive.Archive{Files: maps.Clone(d.Files.Files), Links: maps.Clone(d.Files.Links)}
	repos := map[string]*archive.Archive{}
	for _, repo := range def.Spec.Repos {
		if repos[repo.Name], err = r.cached(ctx, d, repo, &all); err != nil {
			return nil, err
		}
	}
	parts, err := r.applications(def, repos)
	if err != nil {
		return nil, err
	}
	for i, p := range parts {
		folder := path.Join(kustomizeFolder, p.name)
		if kfdef.KustomizationIn(&all, folder) == "" {
			continue
		}
		tree := r.sealed(ctx)
		parts[i] = part{name: p.name, tree: tree, folders: []string{path.Join(tree.Mount("directory", &all), folder)}, instead: &p}
	}
	return parts, nil
}

// warnInstead warns that kfctl's version in kustomize/ could not be built.
func (r *rendering) warnInstead(p part, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warn(fmt.Sprintf("%s/%s cannot be built today, so this component is taken from the KfDef, without what was changed there: %v",
		kustomizeFolder, p.name, plain(err, r.options)))
}

// cached returns a repository from kfctl's cache or, if that does not exist, fetches it: then the files
// are placed where the kustomizations expect them.
func (r *rendering) cached(ctx context.Context, d Directory, repo kfdef.Repo, all *archive.Archive) (*archive.Archive, error) {
	top := topFolder(all, repo.Name, d.KfDef)
	below := path.Join(kfctlCache, repo.Name, top) + "/"
	found := &archive.Archive{Files: map[string][]byte{}}
	for name, content := range all.Files {
		if rest, ok := strings.CutPrefix(name, below); ok {
			found.Files[rest] = content
		}
	}
	if len(found.Files) > 0 {
		return found, r.notice(d.Path+"/"+strings.TrimSuffix(below, "/"), repo, found)
	}
	fetched, err := r.repository(ctx, repo, d.Path)
	if err != nil {
		return nil, err
	}
	for name, content := range fetched.Files {
		all.Files[below+name] = content
	}
	for link, target := range fetched.Links {
		if all.Links == nil {
			all.Links = map[string]string{}
		}
		all.Links[below+link] = below + target
	}
	return fetched, nil
}

// notice records whether kfctl's own copy of an archive has the pinned content.
func (r *rendering) notice(folder string, repo kfdef.Repo, found *archive.Archive) error {
	hash, err := found.Hash()
	if err != nil {
		return fmt.Errorf("hashing %s: %w", folder, err)
	}
	source, release, _ := known(archive.Canonical(repo.URI))
	if release != nil {
		r.out.Release = release
	}
	verified := source.Hash != "" && source.Hash == hash
	r.out.Pins = append(r.out.Pins, Pin{URL: archive.Canonical(repo.URI), Hash: hash, Verified: verified})
	if !verified {
		r.warn(fmt.Sprintf("%s is used as it is on disk, and is not the pinned archive of %s; its hash is %s", folder, repo.URI, hash))
	}
	return nil
}

// topFolder returns the name of an archive's top folder: from the cache, from the references of the
// kustomizations, or from kfctl's status.
func topFolder(files *archive.Archive, repo, kfdef string) string {
	below := path.Join(kfctlCache, repo) + "/"
	for _, name := range slices.Sorted(maps.Keys(files.Files)) {
		if rest, ok := strings.CutPrefix(name, below); ok && strings.Contains(rest, "/") {
			return rest[:strings.Index(rest, "/")]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files.Files)) {
		if path.Dir(path.Dir(name)) != kustomizeFolder {
			continue
		}
		if _, rest, ok := strings.Cut(string(files.Files[name]), "../../"+below); ok {
			if end := strings.IndexAny(rest, "/ \"'\r\n"); end > 0 {
				return rest[:end]
			}
		}
	}
	return notedTop(files.Files[kfdef], repo)
}

func notedTop(kfdef []byte, repo string) string {
	var def struct {
		Status struct {
			ReposCache []struct{ Name, LocalPath string }
		}
	}
	if err := yaml.Unmarshal(kfdef, &def); err == nil {
		for _, cache := range def.Status.ReposCache {
			if cache.Name == repo && cache.LocalPath != "" {
				return path.Base(strings.Trim(cache.LocalPath, `"`)) // it is quoted twice
			}
		}
	}
	return "manifests"
}
