package release

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// fromKustomization returns the parts of a release. Each is built as the release's own kustomization with
// only that part's resources, so that its other fields still apply.
func (r *rendering) fromKustomization(ctx context.Context, release Release, a *archive.Archive) ([]part, error) {
	var top map[string]any
	file := kfdef.KustomizationIn(a, release.Kustomization)
	if err := yaml.Unmarshal(a.Files[file], &top); err != nil || file == "" {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("the archive of %s holds no kustomization in %s that can be read", release, release.Kustomization),
			Next: "Up to Kubeflow 1.2 a KfDef says what is installed: give its address with --filename"}
	}
	s := split{top: top, beside: path.Dir(release.Kustomization), files: maps.Clone(a.Files)}
	if len(release.Components) == 1 && len(release.Components[0].From) == 0 { // it is the whole kustomization
		whole := part{name: release.Components[0].Name, folders: []string{release.Kustomization}}
		return s.mounted(r, a, []part{whole})
	}
	components, warnings := assign(release, resourcesOf(top, release.Kustomization))
	for _, warning := range warnings {
		r.warn(warning)
	}
	s.move(release.Kustomization)
	if inseparable(top) {
		return r.partsOfWhole(ctx, a, s, components)
	}
	var parts []part
	for _, component := range components {
		parts = append(parts, s.part(component))
	}
	return s.mounted(r, a, parts)
}

// A split divides a kustomization into several, each with some of the resources.
type split struct {
	top    map[string]any
	beside string // the folder they are in: as deep as the original, so that relative paths stay valid
	files  map[string][]byte
	err    error
	count  int
}

// move rewrites all paths except the resources, so that they are valid from the folders of the parts.
func (s *split) move(from string) {
	delete(s.top, "resources")
	delete(s.top, "bases")
	somewhere := path.Join(s.beside, "part")
	kfdef.Layer(s.top).Turn(func(reference string) string { return kfdef.Relative(somewhere, path.Join(from, reference)) })
}

// part is one component: a folder for each of its resources, so that they are built concurrently.
func (s *split) part(component Component) part {
	p := part{name: component.Name, needs: component.Needs}
	for _, from := range component.From {
		p.folders = append(p.folders, s.folder(append(slices.Clone(component.Beside), from)...))
	}
	for _, other := range component.Beside {
		p.beside = append(p.beside, s.folder(other))
	}
	return p
}

// folder adds a kustomization with only these resources and returns its folder.
func (s *split) folder(resources ...string) string {
	s.count++
	folder := path.Join(s.beside, fmt.Sprintf("kubectl-kubeflow-%d", s.count))
	var references []any
	for _, resource := range resources {
		if !strings.Contains(resource, "://") {
			resource = kfdef.Relative(folder, resource)
		}
		references = append(references, resource)
	}
	one := maps.Clone(s.top)
	one["resources"] = references
	content, err := yaml.Marshal(one)
	if err != nil {
		s.err = err
	}
	s.files[path.Join(folder, "kustomization.yaml")] = content
	return folder
}

// mounted mounts the archive and the new folders for kustomize.
func (s *split) mounted(r *rendering, a *archive.Archive, parts []part) ([]part, error) {
	mounted := r.tree.Mount("release", &archive.Archive{Files: s.files, Links: a.Links})
	for _, p := range parts {
		for _, folders := range [][]string{p.folders, p.beside} {
			for i := range folders {
				folders[i] = path.Join(mounted, folders[i])
			}
		}
	}
	return parts, s.err
}
