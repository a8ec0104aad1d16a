package appdir

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// Render renders one or more directories into objects. It uses the network only for references of the
// user's kustomizations, which must be in the lock; it writes nothing.
func Render(ctx context.Context, all []*Dir, o release.RenderOptions) (*release.Rendered, error) {
	in := release.Input{}
	o.Locked, o.OnlyLocked = map[string]string{}, true
	for _, d := range all {
		if err := d.ready(o.SkipVerify); err != nil {
			return nil, err
		}
		maps.Copy(o.Locked, d.Lock.Sources)
		o.OnlyLocked = o.OnlyLocked && d.KfDef == ""
		in.Directories = append(in.Directories, d.directory())
	}
	out, err := release.Render(ctx, in, o)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		for _, edit := range d.stale(out.Components) {
			out.Warnings = append(out.Warnings, d.Path+"/"+edit.Sentence())
		}
	}
	return out, nil
}

// ready returns an error if a directory cannot be installed as it is.
func (d *Dir) ready(skipVerify bool) error {
	if err := d.usable(); err != nil {
		return err
	}
	if d.Empty() {
		return &problem.Error{Usage: true, What: fmt.Sprintf("nothing is built into %s yet", d.Path), Next: fmt.Sprintf("Build into it with: kubectl kubeflow build --dir %s --release VERSION", escape.Word(d.Path))}
	}
	if names := d.changedBases(); len(names) > 0 && !skipVerify {
		return &problem.Error{
			Usage: true,
			What:  fmt.Sprintf("%s has changes in generated files: %s", d.Path, text.List(prefixed(names), 3)),
			Next: fmt.Sprintf("Put changes into the kustomization.yaml above it, and restore the base with: kubectl kubeflow build --dir %s; or install it as it is with --skip-verify",
				escape.Word(d.Path)),
		}
	}
	return nil
}

func prefixed(components []string) []string {
	var out []string
	for _, name := range components {
		out = append(out, baseFolder(name))
	}
	return out
}

// directory returns the directory as input of package release.
func (d *Dir) directory() release.Directory {
	out := release.Directory{Path: d.Path, Files: &archive.Archive{Files: d.files}, KfDef: d.KfDef}
	if d.KfDef != "" {
		return out
	}
	out.Release, out.Namespace = d.Config.Build.Release, d.Config.Namespace
	for _, url := range slices.Sorted(maps.Keys(d.Lock.Sources)) {
		out.Pins = append(out.Pins, release.Pin{URL: url, Hash: d.Lock.Sources[url]})
	}
	for _, name := range d.Config.Components {
		out.Components = append(out.Components, release.Component{Name: name, From: []string{path.Join(kustomize, name)}})
	}
	if len(d.Config.Images) > 0 {
		out.Files = &archive.Archive{Files: maps.Clone(d.files)}
		for i, component := range out.Components {
			out.Components[i].From = []string{d.imaged(out.Files.Files, component)}
		}
	}
	return out
}

// untouched reports whether the user has not changed a component's kustomization.
func (d *Dir) untouched(component string) bool {
	return string(d.files[userFile(component)]) == userContent
}

// imaged adds, in memory, a kustomization around a component that applies the directory's image replacements.
func (d *Dir) imaged(files map[string][]byte, component release.Component) string {
	folder := path.Join(".kubectl-kubeflow", component.Name)
	if !hasKustomization(files, component.From[0]) {
		return component.From[0] // an error about its absence should name the user's folder
	}
	content, err := yaml.Marshal(map[string]any{
		"resources": []string{"../../" + component.From[0]},
		"images":    d.Config.Images,
	})
	if err != nil {
		return component.From[0]
	}
	files[path.Join(folder, kustomization)] = content
	return folder
}

func hasKustomization(files map[string][]byte, folder string) bool {
	for _, name := range []string{kustomization, "kustomization.yml", "Kustomization"} {
		if files[path.Join(folder, name)] != nil {
			return true
		}
	}
	return false
}

// same reports whether two configurations have the same content.
func same(a, b Config) bool {
	x, err := yaml.Marshal(a)
	if err != nil {
		return false
	}
	y, err := yaml.Marshal(b)
	return err == nil && string(x) == string(y)
}
