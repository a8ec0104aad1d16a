package release

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// fromKustomization makes the parts that the release names. Each is built as the release's own
// kustomization with only that part's resources, so that whatever else it says still holds.
func (r *rendering) fromKustomization(release Release, a *archive.Archive) ([]part, error) {
	var top map[string]any
	file := kustomizationIn(a, release.Kustomization)
	if err := yaml.Unmarshal(a.Files[file], &top); err != nil || file == "" {
		return nil, fmt.Errorf("the archive of %s holds no kustomization in %s that can be read", release, release.Kustomization)
	}
	resources := list(top["resources"])
	s := split{top: top, beside: path.Dir(release.Kustomization), files: maps.Clone(a.Files)}
	s.move(release.Kustomization)
	var parts []part
	for _, component := range withTheRest(release, resources) {
		p := part{name: component.Name, needs: component.Needs}
		if len(component.From) == 0 {
			p.folders, p.key = []string{release.Kustomization}, release.Kustomization
		}
		for _, from := range component.From {
			p.folders = append(p.folders, s.folder(append(slices.Clone(component.Beside), from)...))
		}
		for _, other := range component.Beside {
			p.beside = append(p.beside, s.folder(other))
		}
		for _, folder := range p.folders[:len(component.From)] {
			p.key += string(s.files[path.Join(folder, "kustomization.yaml")])
		}
		parts = append(parts, p)
	}
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

// A split takes a kustomization apart into several, each with some of the resources.
type split struct {
	top    map[string]any
	beside string // the folder they are put in: as deep as the original, so that relative paths hold
	files  map[string][]byte
	err    error
	count  int
}

// move turns the paths of everything but the resources, so that they hold from where the parts are put.
func (s *split) move(from string) {
	delete(s.top, "resources")
	somewhere := path.Join(s.beside, "part")
	layer(s.top).turn(func(reference string) string { return relative(somewhere, path.Join(from, reference)) })
}

// folder adds a kustomization of only these resources and returns where it is.
func (s *split) folder(resources ...string) string {
	s.count++
	folder := path.Join(s.beside, fmt.Sprintf("kubectl-kubeflow-%d", s.count))
	var references []any
	for _, resource := range resources {
		if !strings.Contains(resource, "://") {
			resource = relative(folder, resource)
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

// withTheRest are the release's components, and one more for what the kustomization lists beyond them:
// an archive that was changed loses nothing.
func withTheRest(release Release, resources []any) []Component {
	components := slices.Clone(release.Components)
	named := map[string]bool{}
	for _, component := range components {
		if len(component.From) == 0 {
			return components // it is the whole kustomization
		}
		for _, from := range component.From {
			named[from] = true
		}
	}
	var rest []string
	for _, resource := range resources {
		text, _ := resource.(string)
		if text != "" && !strings.Contains(text, "://") {
			text = path.Join(release.Kustomization, text)
		}
		if !named[text] {
			rest = append(rest, text)
		}
	}
	if len(rest) > 0 {
		components = append(components, Component{Name: "other", From: rest})
	}
	return components
}
