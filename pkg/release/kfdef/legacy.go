package kfdef

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// MergedFolder is the folder of the merged kustomization, beside base and overlays: up to Kubeflow 1.0 an application was a
// base, some overlays and parameters, and kfctl merged them into one kustomization.
const MergedFolder = "kubectl-kubeflow-merged"

// A Merged application is a repository with one more kustomization, and what kfctl would have ignored in it.
type Merged struct {
	Repo   *archive.Archive
	Folder string
	Passed []string
}

// Merge merges an application's base and overlays as kfctl did and fills its parameters in.
// The repository itself is left as it is.
func Merge(repo *archive.Archive, def *KfDef, app Application) (*Merged, error) {
	changed := *repo
	changed.Files = maps.Clone(repo.Files)
	root := path.Clean(app.KustomizeConfig.RepoRef.Path)
	m := &Merged{Repo: &changed, Folder: path.Join(root, MergedFolder)}
	merged := Layer{}
	layers := m.layers(root, app)
	for i, folder := range layers {
		if KustomizationIn(&changed, folder) == "" {
			return nil, fmt.Errorf("application %s: there is no kustomization in %s", app.Name, folder)
		}
		m.fillIn(folder, def, app)
		if err := merged.put(&changed, folder, path.Join(root, "base"), m.Folder, i == 0); err != nil {
			return nil, fmt.Errorf("application %s: %w", app.Name, err)
		}
	}
	merged.setNamespace(def, app)
	merged.leaveOut(&changed, layers[0], m.Folder)
	content, err := yaml.Marshal(merged)
	if err != nil {
		return nil, fmt.Errorf("application %s: %w", app.Name, err)
	}
	changed.Files[path.Join(m.Folder, "kustomization.yaml")] = content
	return m, nil
}

// layers returns the base and the overlays, in order. A folder without base/ was used as it is, and a
// missing overlay was ignored.
func (m *Merged) layers(root string, app Application) []string {
	base := path.Join(root, "base")
	if KustomizationIn(m.Repo, base) == "" {
		for _, overlay := range app.KustomizeConfig.Overlays {
			m.Passed = append(m.Passed, fmt.Sprintf("application %s has no base, so its overlay %s is left out, as kfctl did", app.Name, overlay))
		}
		return []string{root}
	}
	layers := []string{base}
	for _, overlay := range app.KustomizeConfig.Overlays {
		folder := path.Join(root, "overlays", overlay)
		if KustomizationIn(m.Repo, folder) == "" {
			m.Passed = append(m.Passed, fmt.Sprintf("application %s has no overlay %s; it is left out, as kfctl did", app.Name, overlay))
			continue
		}
		layers = append(layers, folder)
	}
	return layers
}

// KustomizationIn returns the kustomization file of a folder, or "".
func KustomizationIn(repo *archive.Archive, folder string) string {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if file := path.Join(folder, name); repo.Files[file] != nil {
			return file
		}
	}
	return ""
}

// setNamespace sets the namespace of the whole application to that of its parameter, or of the KfDef.
func (l Layer) setNamespace(def *KfDef, app Application) {
	for _, p := range app.KustomizeConfig.Parameters {
		if p.Name == "namespace" && p.Value != "" {
			l["namespace"] = p.Value
		}
	}
	if l["namespace"] == nil || l["namespace"] == "" {
		l["namespace"] = def.Metadata.Namespace
	}
}

// fillIn replaces the values of known names in a layer's params.env: the application's parameters, and
// those that the KfDef itself defines.
func (m *Merged) fillIn(folder string, def *KfDef, app Application) {
	file := path.Join(folder, "params.env")
	content, ok := m.Repo.Files[file]
	if !ok {
		return
	}
	lines := strings.Split(string(content), "\n")
	for i, line := range lines {
		name, _, isValue := strings.Cut(line, "=")
		if value := def.parameter(app, strings.TrimSpace(name)); value != "" && (isValue || name != "") {
			lines[i] = strings.TrimSpace(name) + "=" + value
		}
	}
	m.Repo.Files[file] = []byte(strings.Join(lines, "\n"))
}

// parameter returns the value of a name in params.env; empty keeps the existing value.
func (d *KfDef) parameter(app Application, name string) string {
	given := slices.IndexFunc(app.KustomizeConfig.Parameters, func(p Parameter) bool { return p.Name == name })
	switch {
	case given >= 0 && app.KustomizeConfig.Parameters[given].Value != "":
		return app.KustomizeConfig.Parameters[given].Value
	case name == "namespace":
		return d.Metadata.Namespace
	case name == "appName":
		return d.Metadata.Name
	}
	return ""
}
