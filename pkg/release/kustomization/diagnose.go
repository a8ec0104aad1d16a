package kustomization

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	yamldocs "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// A FaultError is an error in a kustomization, or in a file it names, and how to correct it. pkg/release returns it as a problem.Error
// that names the component.
type FaultError struct {
	What string // "apps/katib/kustomization.yaml refers to x, which is not there"
	Next string
}

// Error returns What.
func (e *FaultError) Error() string { return e.What }

// A diagnosis checks a kustomization that could not be built, in kustomize's order, until it finds a fault
// that it can describe. kustomize itself tries each reference in several ways and joins all the errors.
type diagnosis struct {
	*Tree
	way []string // the folders on the path to this one
}

// folder returns the first fault of a kustomization or of what it refers to, or nil.
func (d diagnosis) folder(folder string) *FaultError {
	file := d.kustomizationFile(folder)
	if file == "" {
		return d.fault(folder, "", "holds no kustomization.yaml", "name a folder that has one")
	}
	if slices.Contains(d.way, folder) {
		return d.fault(file, "", "comes back to itself through its resources", "take one of these references out")
	}
	d.way = append(slices.Clone(d.way), folder)
	content, err := d.ReadFile(file)
	var fields map[string]any
	if err == nil {
		err = yaml.Unmarshal(content, &fields)
	}
	switch kind, _ := fields["kind"].(string); {
	case err != nil:
		return d.fault(file, oneLine(err), "is not YAML that can be read", "correct it")
	case len(fields) == 0:
		return d.fault(file, "", "is empty", "list the files that belong to it under resources")
	case kind != "" && kind != "Kustomization" && kind != "Component":
		return d.fault(file, "", "is a "+kind+", not a Kustomization", "give the object a file of its own and list it under resources")
	case fields["helmCharts"] != nil || fields["helmChartInflationGenerator"] != nil:
		return d.fault(file, "", "asks for Helm charts, which are not rendered here", "render the chart with helm template, and list the file under resources")
	}
	for _, key := range []string{"resources", "bases", "components", "patches", "patchesStrategicMerge", "patchesJson6902", "generators", "transformers",
		"configMapGenerator", "secretGenerator", "images", "vars", "replacements", "configurations", "crds"} {
		if _, isList := fields[key].([]any); fields[key] != nil && !isList {
			return d.fault(file, "", "has something else than a list under "+key, "write it as a list")
		}
	}
	return d.parts(file, fields)
}

func (d diagnosis) fault(file, detail, why, do string) *FaultError {
	if detail != "" {
		why += " (" + detail + ")"
	}
	return &FaultError{What: d.name(file) + " " + why, Next: text.Capitalized(do)}
}

func (d diagnosis) kustomizationFile(folder string) string {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if file := path.Join(filepath.ToSlash(folder), name); d.Exists(file) {
			return file
		}
	}
	return ""
}

// parts checks everything that the kustomization names: it exists, can be read, and is not a program.
func (d diagnosis) parts(file string, fields map[string]any) *FaultError {
	for _, key := range []string{"generators", "transformers", "validators"} {
		for _, item := range texts(fields[key]) {
			if fault := d.plugin(file, item); fault != nil {
				return fault
			}
		}
	}
	var missing string
	_ = eachReference(fields, func(reference string) (string, error) {
		if missing == "" && !strings.ContainsAny(reference, "\n{") && !d.Exists(d.beside(file, reference)) {
			missing = reference
		}
		return reference, nil
	})
	if missing != "" {
		return d.fault(file, "", "refers to "+missing+", which is not there", "put it there, or take the reference out")
	}
	for _, key := range []string{"resources", "bases", "components"} {
		for _, item := range texts(fields[key]) {
			if fault := d.resource(d.beside(file, item)); fault != nil {
				return fault
			}
		}
	}
	return nil
}

func (d diagnosis) beside(file, reference string) string {
	return path.Join(path.Dir(file), filepath.ToSlash(reference))
}

func (d diagnosis) resource(name string) *FaultError {
	if d.IsDir(name) {
		return d.folder(name)
	}
	content, err := d.ReadFile(name)
	if err != nil {
		return d.fault(name, oneLine(err), "cannot be read", "see to its permissions")
	}
	reader := yamldocs.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for number := 1; ; number++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var object any
		if err == nil {
			err = yaml.Unmarshal(document, &object)
		}
		if err != nil {
			return d.fault(name, oneLine(err), "is not YAML that can be read", "correct it")
		}
		fields, _ := object.(map[string]any)
		metadata, _ := fields["metadata"].(map[string]any)
		if object != nil && fields["items"] == nil && (fields["kind"] == nil || metadata["name"] == nil) {
			return d.fault(name, "", fmt.Sprintf("is not a Kubernetes object: document %d lacks kind or metadata.name", number), "correct it, or take it out of the resources")
		}
	}
}

// plugin rejects what kustomize would run a program for. Its own transformers have apiVersion builtin.
func (d diagnosis) plugin(file, item string) *FaultError {
	content := []byte(item)
	if !strings.ContainsAny(item, "\n{") {
		name := d.beside(file, item)
		if d.IsDir(name) {
			return nil
		}
		content, _ = d.ReadFile(name)
	}
	var plugin struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if yaml.Unmarshal(content, &plugin) != nil || plugin.Kind == "" || plugin.APIVersion == "builtin" {
		return nil
	}
	return d.fault(file, "", "asks for the plugin "+plugin.Kind+", and programs and containers are never run to render",
		"run it yourself, and list what it makes under resources")
}

func texts(value any) []string {
	items, _ := value.([]any)
	var out []string
	for _, item := range items {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

func oneLine(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	return strings.TrimPrefix(strings.TrimPrefix(text, "error converting YAML to JSON: "), "yaml: ")
}
