package gitops

import (
	"bytes"
	"fmt"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// Options say for which program the files are, and where it finds them.
type Options struct {
	Format     string // plain, argocd or flux
	Name       string // of the installation
	Repository string // URL of the Git repository
	Revision   string // its branch
	Path       string // of the folder with these files in the repository
}

// A format completes the files of the waves for one program.
type format struct {
	mark  func(o *unstructured.Unstructured, wave int) // may be nil
	extra func(o Options, waves int) map[string][]any  // further files and their documents; may be nil
}

var formats = map[string]format{
	"plain":  {},
	"argocd": {mark: markWave, extra: argoCD},
	"flux":   {extra: flux},
}

// Files returns the files of a plan by name, and the number of waves.
func Files(p *plan.Plan, o Options) (files map[string][]byte, waves int, err error) {
	f, ok := formats[o.Format]
	if !ok {
		return nil, 0, fmt.Errorf("unknown format %q", o.Format)
	}
	documents := map[string][]any{}
	all := p.Waves()
	for n, wave := range all {
		var names []string
		for _, i := range wave {
			object := p.Objects[i].Object.DeepCopy()
			if f.mark != nil {
				f.mark(object, n)
			}
			name := fileOf(p.Objects[i].Stage)
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			file := path.Join(folder(n), name)
			documents[file] = append(documents[file], object.Object)
		}
		documents[path.Join(folder(n), kustomization)] = []any{kustomizationOf(names)}
	}
	if f.extra != nil {
		for name, content := range f.extra(o, len(all)) {
			documents[name] = content
		}
	}
	files = map[string][]byte{}
	for name, content := range documents {
		if files[name], err = encode(content); err != nil {
			return nil, 0, fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return files, len(all), nil
}

const kustomization = "kustomization.yaml"

// folder returns the folder of a wave.
func folder(wave int) string { return fmt.Sprintf("wave-%02d", wave) }

// folders returns the folders of all waves.
func folders(waves int) []string {
	var names []string
	for n := range waves {
		names = append(names, folder(n))
	}
	return names
}

// fileOf returns the file of a component's objects, which must not be that of the kustomization.
func fileOf(component string) string {
	if component+".yaml" == kustomization {
		component += "-component"
	}
	return component + ".yaml"
}

func kustomizationOf(resources []string) map[string]any {
	return map[string]any{"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}
}

const head = "# Replaced by every \"kubectl kubeflow build\": make changes in ../kubeflow.yaml and ../kustomize instead.\n"

func encode(documents []any) ([]byte, error) {
	out := bytes.NewBufferString(head)
	for _, document := range documents {
		content, err := yaml.Marshal(document)
		if err != nil {
			return nil, err
		}
		out.WriteString("---\n")
		out.Write(content)
	}
	return out.Bytes(), nil
}

// Placeholder is the repository of files that are written before its URL is known.
const Placeholder = "https://example.com/your/repository.git"
