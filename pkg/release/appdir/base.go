package appdir

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

const kustomization = "kustomization.yaml"

const baseContent = `# Replaced by every "kubectl kubeflow build": make changes in ../kustomization.yaml.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- resources.yaml
`

const userContent = `# Yours to edit: "kubectl kubeflow build" never changes this file. Add patches, images, a namespace,
# resources of your own; whatever they need must be inside this directory, or is locked by the next build.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- base
`

func baseFolder(component string) string { return path.Join(kustomize, component, base) }
func userFile(component string) string   { return path.Join(kustomize, component, kustomization) }

// putBase replaces a component's base, and creates the user's kustomization if it does not exist.
func (d *Dir) putBase(c release.RenderedComponent) error {
	content, err := encode(c.Objects)
	if err != nil {
		return err
	}
	d.dropBelow(baseFolder(c.Name), kustomization, "resources.yaml")
	d.put(path.Join(baseFolder(c.Name), "resources.yaml"), content)
	d.put(path.Join(baseFolder(c.Name), kustomization), []byte(baseContent))
	for _, name := range []string{kustomization, "kustomization.yml", "Kustomization"} {
		if d.files[path.Join(kustomize, c.Name, name)] != nil {
			return nil
		}
	}
	d.put(userFile(c.Name), []byte(userContent))
	return nil
}

func (d *Dir) dropBelow(folder string, but ...string) {
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if rest, ok := strings.CutPrefix(name, folder+"/"); ok && !slices.Contains(but, rest) {
			d.drop(name)
		}
	}
}

// dropComponent removes the generated files of a component. The user's files are kept, and reported.
func (d *Dir) dropComponent(name string) []Edit {
	d.dropBelow(baseFolder(name))
	if string(d.files[userFile(name)]) == userContent {
		d.drop(userFile(name))
	}
	for file := range d.files {
		if strings.HasPrefix(file, path.Join(kustomize, name)+"/") {
			return []Edit{{Component: name, What: "is no longer built; what you put into its folder is kept, and not used"}}
		}
	}
	return nil
}

// baseHash returns the h1: hash over the files of a component's base.
func (d *Dir) baseHash(component string) string {
	files := map[string][]byte{}
	for name, content := range d.files {
		if rest, ok := strings.CutPrefix(name, baseFolder(component)+"/"); ok {
			files[rest] = content
		}
	}
	hash, err := (&archive.Archive{Files: files}).Hash()
	if err != nil {
		return err.Error() // the text of an error differs from every hash in a lock
	}
	return hash
}

// changedBases returns the components whose base was changed since the last build.
func (d *Dir) changedBases() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(d.Lock.Bases)) {
		if d.baseHash(name) != d.Lock.Bases[name] {
			names = append(names, name)
		}
	}
	return names
}

// setAside keeps a copy of each base that was changed manually, beside the new one.
func (d *Dir) setAside() []string {
	var names []string
	for _, component := range d.changedBases() {
		d.dropBelow(path.Join(kustomize, component, changed))
		kept := false
		for _, name := range slices.Sorted(maps.Keys(d.files)) {
			if rest, ok := strings.CutPrefix(name, baseFolder(component)+"/"); ok {
				d.put(path.Join(kustomize, component, changed, rest), d.files[name])
				kept = true
			}
		}
		if kept { // otherwise it was removed
			names = append(names, component)
		}
	}
	return names
}

// joined merges components with the same name. If an object occurs twice, the later one is used.
func joined(components []release.RenderedComponent) []release.RenderedComponent {
	var out []release.RenderedComponent
	for _, c := range components {
		at := slices.IndexFunc(out, func(have release.RenderedComponent) bool { return have.Name == c.Name })
		if at < 0 {
			out = append(out, release.RenderedComponent{Name: c.Name})
			at = len(out) - 1
		}
		out[at].Objects = append(out[at].Objects, c.Objects...)
	}
	for i := range out {
		out[i].Objects = once(out[i].Objects)
	}
	return out
}

func once(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	type identity struct {
		kind            schema.GroupKind
		namespace, name string
	}
	place := map[identity]int{}
	var out []*unstructured.Unstructured
	for _, o := range objects {
		id := identity{o.GroupVersionKind().GroupKind(), o.GetNamespace(), o.GetName()}
		if at, twice := place[id]; twice {
			out[at] = o
			continue
		}
		place[id] = len(out)
		out = append(out, o)
	}
	return out
}

func encode(objects []*unstructured.Unstructured) ([]byte, error) {
	var out bytes.Buffer
	for _, o := range objects {
		content, err := yaml.Marshal(o.Object)
		if err != nil {
			return nil, fmt.Errorf("writing %s %s: %w", o.GetKind(), o.GetName(), err)
		}
		out.WriteString("---\n")
		out.Write(content)
	}
	return out.Bytes(), nil
}
