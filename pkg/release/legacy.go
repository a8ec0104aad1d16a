package release

import (
	"fmt"
	"maps"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// Up to Kubeflow 1.0 an application was a base, some overlays beside it and parameters, and kfctl
// merged them into one kustomization. mergedFolder is where ours is put, beside base and overlays.
const mergedFolder = "kubectl-kubeflow-merged"

// mergeApplication returns the repository with the application's parameters filled in and its layers
// merged, and the folder to build. The repository itself is left as it is.
func mergeApplication(repo *archive.Archive, app Application) (*archive.Archive, string, error) {
	changed := *repo
	changed.Files = maps.Clone(repo.Files)
	root := path.Clean(app.KustomizeConfig.RepoRef.Path)
	layers, err := layersOf(&changed, root, app)
	if err != nil {
		return nil, "", err
	}
	merged := layer{}
	for _, folder := range layers {
		fillIn(&changed, folder, app.KustomizeConfig.Parameters)
		if err := merged.add(&changed, folder, layers[0], path.Join(root, mergedFolder)); err != nil {
			return nil, "", fmt.Errorf("application %s: %w", app.Name, err)
		}
	}
	folder := path.Join(root, mergedFolder)
	merged.joinEnvs(&changed, folder)
	content, err := yaml.Marshal(merged)
	if err != nil {
		return nil, "", fmt.Errorf("application %s: %w", app.Name, err)
	}
	changed.Files[path.Join(folder, "kustomization.yaml")] = content
	return &changed, folder, nil
}

// layersOf are the base and the overlays, in order. A folder without base/ is its own base.
func layersOf(repo *archive.Archive, root string, app Application) ([]string, error) {
	base := path.Join(root, "base")
	if kustomizationIn(repo, base) == "" {
		base = root
	}
	layers := []string{base}
	for _, overlay := range app.KustomizeConfig.Overlays {
		layers = append(layers, path.Join(root, "overlays", overlay))
	}
	for _, folder := range layers {
		if kustomizationIn(repo, folder) == "" {
			return nil, fmt.Errorf("application %s: there is no kustomization in %s", app.Name, folder)
		}
	}
	return layers, nil
}

// kustomizationIn is the kustomization file of a folder, or "".
func kustomizationIn(repo *archive.Archive, folder string) string {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if file := path.Join(folder, name); repo.Files[file] != nil {
			return file
		}
	}
	return ""
}

// fillIn replaces the values of known names in a layer's params.env.
func fillIn(repo *archive.Archive, folder string, parameters []Parameter) {
	file := path.Join(folder, "params.env")
	content, ok := repo.Files[file]
	if !ok {
		return
	}
	lines := strings.Split(string(content), "\n")
	for i, line := range lines {
		name, _, _ := strings.Cut(line, "=")
		for _, p := range parameters {
			if p.Name == strings.TrimSpace(name) && p.Value != "" {
				lines[i] = p.Name + "=" + p.Value
			}
		}
	}
	repo.Files[file] = []byte(strings.Join(lines, "\n"))
}
