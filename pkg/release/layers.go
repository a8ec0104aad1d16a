package release

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// A layer is a kustomization as a plain map, into which others are merged.
type layer map[string]any

// add merges the kustomization of a folder, its paths turned so that they hold from the merged folder.
func (l layer) add(repo *archive.Archive, folder, base, to string) error {
	var fields layer
	file := kustomizationIn(repo, folder)
	if err := yaml.Unmarshal(repo.Files[file], &fields); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, item := range list(fields["configurations"]) {
		withoutIndices(repo, path.Join(folder, fmt.Sprint(item)))
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

// joinEnvs gives each generator that got several env files one: a later layer's value of a key wins,
// where kustomize would refuse the second.
func (l layer) joinEnvs(repo *archive.Archive, folder string) {
	for _, key := range []string{"configMapGenerator", "secretGenerator"} {
		for i, item := range list(l[key]) {
			generator, _ := item.(map[string]any)
			envs := list(generator["envs"])
			if len(envs) < 2 {
				continue
			}
			name := fmt.Sprintf("%s-%d.env", key, i)
			repo.Files[path.Join(folder, name)] = joined(repo, folder, envs)
			generator["envs"] = []any{name}
		}
	}
}

func joined(repo *archive.Archive, folder string, envs []any) []byte {
	var keys []string
	values := map[string]string{}
	for _, env := range envs {
		for line := range strings.Lines(string(repo.Files[path.Join(folder, fmt.Sprint(env))])) {
			key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
			if key = strings.TrimSpace(key); key == "" || key[0] == '#' {
				continue
			}
			if _, have := values[key]; !have {
				keys = append(keys, key)
			}
			values[key] = value
		}
	}
	var out strings.Builder
	for _, key := range keys {
		out.WriteString(key + "=" + values[key] + "\n")
	}
	return []byte(out.String())
}

// index is a number in a configuration's field path. The kustomize of kfctl's time passed over such
// paths, and today's takes them for an error; the variables in question are found without it.
var index = regexp.MustCompile(`(path: \S*?)/\d+(/|\s|$)`)

func withoutIndices(repo *archive.Archive, file string) {
	content, ok := repo.Files[file]
	for ok && index.Match(content) {
		content = index.ReplaceAll(content, []byte("$1$2"))
	}
	if ok {
		repo.Files[file] = content
	}
}
