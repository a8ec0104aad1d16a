package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// fromRelease reads a named release's components from its archive.
func (r *rendering) fromRelease(ctx context.Context, release Release) ([]part, error) {
	a, err := r.archiveOf(ctx, release)
	if err != nil {
		return nil, err
	}
	r.out.Release = &release
	if release.KfDef != "" {
		content, ok := a.Files[release.KfDef]
		if !ok {
			return nil, fmt.Errorf("the archive of %s holds no %s", release, release.KfDef)
		}
		return r.fromKfDef(ctx, release.KfDef, content, "")
	}
	for _, remote := range release.Remotes {
		if _, err := r.fetch(ctx, remote.URL); err != nil {
			return nil, err
		}
	}
	return r.fromKustomization(ctx, release, a)
}

func (r *rendering) archiveOf(ctx context.Context, release Release) (*archive.Archive, error) {
	if release.Source.URL == "" { // it is part of this program
		a, err := embedded(release)
		if err != nil {
			return nil, err
		}
		hash, err := a.Hash()
		r.out.Pins = append(r.out.Pins, Pin{URL: "embedded:" + release.Version, Hash: hash, Verified: true})
		return a, err
	}
	return r.fetch(ctx, release.Source.URL)
}

// fromKfDef returns one part for each application. beside is the folder that repository paths are relative to.
func (r *rendering) fromKfDef(ctx context.Context, name string, content []byte, beside string) ([]part, error) {
	def, err := kfdef.Parse(name, content)
	if err != nil {
		return nil, err
	}
	r.kfdef, r.out.Namespace = true, def.Metadata.Namespace
	if len(def.Spec.Secrets) > 0 {
		r.warn("the KfDef's secrets were for kfctl's plugins and are left out")
	}
	repos := map[string]*archive.Archive{}
	for _, repo := range def.Spec.Repos {
		if repos[repo.Name], err = r.repository(ctx, repo, beside); err != nil {
			return nil, err
		}
	}
	return r.applications(def, repos)
}

// repository fetches one of a KfDef's repositories, and identifies the release by its address.
func (r *rendering) repository(ctx context.Context, repo kfdef.Repo, beside string) (*archive.Archive, error) {
	if _, release, ok := known(archive.Canonical(repo.URI)); ok && release != nil {
		r.out.Release = release
	}
	uri := repo.URI
	if local := archive.LocalPath(uri); !archive.IsURL(uri) && !filepath.IsAbs(local) {
		uri = filepath.Join(beside, local)
	}
	within := ""
	if !archive.IsURL(uri) && !r.options.Unrestricted {
		if within = beside; beside == "" {
			return nil, leadsOut(repo, archive.ErrOutside)
		}
	}
	a, err := r.fetchWithin(ctx, uri, within)
	if errors.Is(err, archive.ErrOutside) {
		return nil, leadsOut(repo, err)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, &problem.Error{Usage: true, What: "the KfDef's repository " + repo.Name, Next: "Correct its uri, or put the folder or archive there", Err: err}
	}
	return a, err
}

// leadsOut is the error for a local repository outside the folder of its KfDef.
func leadsOut(repo kfdef.Repo, err error) error {
	return &problem.Error{Usage: true, What: "the KfDef's repository " + repo.Name, Err: err,
		Next: "Put it beside the KfDef, or permit it with --load-restrictor LoadRestrictionsNone"}
}

// applications returns one part for each application of a KfDef whose repositories were fetched.
func (r *rendering) applications(def *kfdef.KfDef, repos map[string]*archive.Archive) ([]part, error) {
	var parts []part
	for _, app := range def.Spec.Applications {
		r.namespaces = r.namespaces || app.Name == "namespaces"
		p, err := r.application(def, app, repos[app.KustomizeConfig.RepoRef.Name])
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	r.applyNeeds(parts)
	return parts, nil
}

// applyNeeds sets the needs of applications to those of the release's components with the same names.
func (r *rendering) applyNeeds(parts []part) {
	if r.out.Release == nil {
		return
	}
	names := graph(parts).names
	for i, p := range parts {
		for _, component := range r.out.Release.Components {
			if component.Name == p.name {
				parts[i].needs = slices.DeleteFunc(slices.Clone(component.Needs), func(n string) bool { return !slices.Contains(names, n) })
			}
		}
	}
}

func (r *rendering) application(def *kfdef.KfDef, app kfdef.Application, repo *archive.Archive) (part, error) {
	p := part{name: app.Name}
	ref := app.KustomizeConfig.RepoRef
	if def.Stacks() {
		p.folders = []string{path.Join(r.tree.Mount("repo-"+ref.Name, repo), ref.Path)}
		if kfdef.KustomizationIn(repo, path.Clean(ref.Path)) == "" {
			p.fault = &problem.Error{
				Usage: true,
				What:  fmt.Sprintf("application %s: repository %s has no kustomization in %s", app.Name, ref.Name, ref.Path),
				Next:  "Correct the KfDef's repoRef.path or its repository, or skip the component",
			}
		}
		return p, nil
	}
	merged, err := kfdef.Merge(repo, def, app)
	if err != nil {
		p.fault = &problem.Error{Usage: true, What: "the KfDef and its repository do not fit", Next: "Correct the KfDef, or skip the component", Err: err}
		return p, nil
	}
	for _, sentence := range merged.Passed {
		r.warn(sentence)
	}
	p.folders = []string{path.Join(r.tree.Mount("app-"+app.Name, merged.Repo), merged.Folder)}
	return p, nil
}
