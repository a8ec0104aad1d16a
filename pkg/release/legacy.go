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
	content, err := yaml.Marshal(merged)
	if err != nil {
		return nil, "", fmt.Errorf("application %s: %w", app.Name, err)
	}
	folder := path.Join(root, mergedFolder)
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

// A layer is a kustomization as a plain map, into which others are merged.
type layer map[string]any

// add merges the kustomization of a folder, its paths turned so that they hold from the merged folder.
func (l layer) add(repo *archive.Archive, folder, base, to string) error {
	var fields layer
	file := kustomizationIn(repo, folder)
	if err := yaml.Unmarshal(repo.Files[file], &fields); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	turn := func(reference string) string { return relative(to, path.Join(folder, reference)) }
	fields["resources"] = append(list(fields["bases"]), list(fields["resources"])...)
	delete(fields, "bases")
	fields["resources"] = slices.DeleteFunc(list(fields["resources"]), func(item any) bool {
		reference, _ := item.(string)
		return folder != base && path.Join(folder, reference) == base // the base is a layer of its own
	})
	fields.turn(turn)
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		l[key] = mergeField(key, l[key], fields[key])
	}
	return nil
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}

// turn changes every path in the kustomization.
func (l layer) turn(change func(string) string) {
	for _, key := range []string{"resources", "patchesStrategicMerge", "configurations", "crds", "transformers", "generators"} {
		for i, item := range list(l[key]) {
			if text, ok := item.(string); ok && !strings.ContainsAny(text, "\n:") {
				list(l[key])[i] = change(text)
			}
		}
	}
	for _, key := range []string{"patchesJson6902", "patches"} {
		for _, item := range list(l[key]) {
			if patch, ok := item.(map[string]any); ok && patch["path"] != nil {
				patch["path"] = change(fmt.Sprint(patch["path"]))
			}
		}
	}
	for _, key := range []string{"configMapGenerator", "secretGenerator"} {
		for _, item := range list(l[key]) {
			if generator, ok := item.(map[string]any); ok {
				turnGenerator(generator, change)
			}
		}
	}
}

func turnGenerator(generator map[string]any, change func(string) string) {
	if env, ok := generator["env"].(string); ok {
		generator["envs"] = append(list(generator["envs"]), env)
		delete(generator, "env")
	}
	for _, key := range []string{"envs", "files"} {
		for i, item := range list(generator[key]) {
			text := fmt.Sprint(item)
			if name, file, keyed := strings.Cut(text, "="); keyed {
				list(generator[key])[i] = name + "=" + change(file)
			} else {
				list(generator[key])[i] = change(text)
			}
		}
	}
}

// mergeField joins one field of two layers: lists grow, maps are united, a later plain value wins.
// Of variables and generators with one name, as every layer may declare them, one remains.
func mergeField(key string, have, more any) any {
	if have == nil {
		return more
	}
	switch more := more.(type) {
	case []any:
		return mergeLists(key, list(have), more)
	case map[string]any:
		united, ok := have.(map[string]any)
		if !ok {
			return more
		}
		maps.Copy(united, more)
		return united
	}
	return more
}

func mergeLists(key string, have, more []any) []any {
	for _, item := range more {
		fields, _ := item.(map[string]any)
		same := slices.IndexFunc(have, func(other any) bool {
			o, ok := other.(map[string]any)
			return ok && fields["name"] != nil && o["name"] == fields["name"]
		})
		switch {
		case same < 0 || key != "vars" && key != "configMapGenerator" && key != "secretGenerator":
			have = append(have, item)
		case key != "vars":
			united := have[same].(map[string]any)
			for _, sources := range []string{"envs", "files", "literals"} {
				if added := list(fields[sources]); len(added) > 0 {
					united[sources] = append(list(united[sources]), added...)
				}
			}
		}
	}
	return have
}

// relative is the path from one folder of an archive to another place in it.
func relative(from, to string) string {
	up := strings.Repeat("../", strings.Count(from, "/")+1)
	return up + to
}
