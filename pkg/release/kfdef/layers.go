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

// A Layer is a kustomization as a plain map, into which others are merged.
type Layer map[string]any

// put adds the layer in a folder as kfctl did. One without bases is referenced as it is; of one with bases,
// each field is merged, so that several overlays can change one base.
func (l Layer) put(repo *archive.Archive, folder, base, to string, first bool) error {
	var fields Layer
	file := KustomizationIn(repo, folder)
	if err := yaml.Unmarshal(repo.Files[file], &fields); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	bases, resources := List(fields["bases"]), List(fields["resources"])
	isBase := func(item any) bool {
		reference, _ := item.(string)
		return path.Join(folder, reference) == base
	}
	if first && folder == base && len(bases) == 0 || !slices.ContainsFunc(append(slices.Clone(bases), resources...), isBase) && folder != path.Dir(to) {
		l["resources"] = append(List(l["resources"]), Relative(to, folder))
		return nil
	}
	fields["resources"] = slices.DeleteFunc(append(slices.Clone(bases), resources...), isBase) // the base is a separate layer
	delete(fields, "bases")
	fields.Turn(func(reference string) string { return Relative(to, path.Join(folder, reference)) })
	if folder != path.Dir(to) {
		delete(fields, "namespace") // replaced by the application's
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		l[key] = mergeField(key, l[key], fields[key])
	}
	return nil
}

// leaveOut removes the variables that the base declares already: kustomize would reject the duplicates.
func (l Layer) leaveOut(repo *archive.Archive, base, to string) {
	var fields Layer
	if List(l["vars"]) == nil || !slices.Contains(List(l["resources"]), any(Relative(to, base))) ||
		yaml.Unmarshal(repo.Files[KustomizationIn(repo, base)], &fields) != nil {
		return
	}
	l["vars"] = slices.DeleteFunc(List(l["vars"]), func(item any) bool {
		return slices.ContainsFunc(List(fields["vars"]), func(other any) bool {
			mine, _ := item.(map[string]any)
			its, _ := other.(map[string]any)
			return mine["name"] != nil && mine["name"] == its["name"]
		})
	})
}

func List(value any) []any {
	items, _ := value.([]any)
	return items
}

// Turn rewrites every path in the kustomization.
func (l Layer) Turn(change func(string) string) {
	for _, key := range []string{"resources", "patchesStrategicMerge", "configurations", "crds", "transformers", "generators"} {
		for i, item := range List(l[key]) {
			if text, ok := item.(string); ok && !strings.ContainsAny(text, "\n:") {
				List(l[key])[i] = change(text)
			}
		}
	}
	for _, key := range []string{"patchesJson6902", "patches"} {
		for _, item := range List(l[key]) {
			if patch, ok := item.(map[string]any); ok && patch["path"] != nil {
				patch["path"] = change(fmt.Sprint(patch["path"]))
			}
		}
	}
	for _, key := range []string{"configMapGenerator", "secretGenerator"} {
		for _, item := range List(l[key]) {
			if generator, ok := item.(map[string]any); ok {
				turnGenerator(generator, change)
			}
		}
	}
}

func turnGenerator(generator map[string]any, change func(string) string) {
	if env, ok := generator["env"].(string); ok {
		generator["envs"] = append(List(generator["envs"]), env)
		delete(generator, "env")
	}
	for _, key := range []string{"envs", "files"} {
		for i, item := range List(generator[key]) {
			text := fmt.Sprint(item)
			if name, file, keyed := strings.Cut(text, "="); keyed {
				List(generator[key])[i] = name + "=" + change(file)
			} else {
				List(generator[key])[i] = change(text)
			}
		}
	}
}

// mergeField merges one field of two layers: lists, labels and annotations are merged; for everything else
// the first value is kept.
func mergeField(key string, have, more any) any {
	if have == nil {
		return more
	}
	switch more := more.(type) {
	case []any:
		return mergeLists(key, List(have), more)
	case map[string]any:
		united, ok := have.(map[string]any)
		if ok && key != "generatorOptions" {
			maps.Copy(united, more)
		}
	}
	return have
}

// mergeLists appends missing items. Of variables, images and generated ConfigMaps or Secrets with the same
// name, which every overlay may declare, the first is kept.
func mergeLists(key string, have, more []any) []any {
	for _, item := range more {
		same := slices.ContainsFunc(have, func(other any) bool {
			o, _ := other.(map[string]any)
			fields, _ := item.(map[string]any)
			switch key {
			case "vars", "images":
				return fields["name"] != nil && o["name"] == fields["name"]
			case "configMapGenerator", "secretGenerator":
				creates := fields["behavior"] == nil || fields["behavior"] == "create"
				return creates && fields["name"] != nil && o["name"] == fields["name"]
			}
			text, ok := item.(string)
			return ok && other == text
		})
		if !same {
			have = append(have, item)
		}
	}
	return have
}

// Relative returns the relative path from one folder of an archive to another path in it.
func Relative(from, to string) string {
	up := strings.Repeat("../", strings.Count(from, "/")+1)
	return up + to
}
