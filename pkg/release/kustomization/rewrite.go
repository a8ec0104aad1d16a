package kustomization

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

func isKustomizationFile(name string) bool {
	switch filepath.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// rewrite replaces every remote reference with the relative path where its content is mounted. A
// kustomization without such references is returned unchanged.
func (t *Tree) rewrite(name string, content []byte) ([]byte, error) {
	if !mayRefer(content) {
		return content, nil
	}
	var fields map[string]any
	if err := yaml.Unmarshal(content, &fields); err != nil {
		return content, nil // kustomize's error is better
	}
	changed := false
	err := eachReference(fields, func(reference string) (string, error) {
		local, err := t.inward(name, reference)
		changed = changed || local != reference
		return local, err
	})
	if err != nil || !changed {
		return content, err
	}
	return yaml.Marshal(fields)
}

// inward returns the relative path, from a kustomization, of a reference's content.
func (t *Tree) inward(file, reference string) (string, error) {
	remote, ok, err := ParseRemote(reference)
	if !ok || err == nil && t.isLocal(file, reference) {
		return reference, nil
	}
	if err != nil {
		return "", &ReferenceError{Reference: reference, File: t.name(file), Err: err}
	}
	folder, single, err := t.bring(remote)
	if err != nil {
		return "", &ReferenceError{Reference: reference, File: t.name(file), Fetched: true, Err: err}
	}
	if single != "" {
		return path.Join(strings.TrimPrefix(folder, "/"), single), nil
	}
	from := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(file), filepath.VolumeName(file)))
	to, err := filepath.Rel(from, path.Join(folder, remote.Path))
	return filepath.ToSlash(to), err
}

// isLocal reports whether a reference is an existing path, for example a folder named github.com.
func (t *Tree) isLocal(file, reference string) bool {
	return !strings.Contains(reference, ":") && t.Exists(filepath.Join(filepath.Dir(file), reference))
}

// bring fetches and mounts the content of a reference once. Concurrent builds wait for it.
func (t *Tree) bring(r Remote) (folder, single string, err error) {
	t.fetching.Lock()
	defer t.fetching.Unlock()
	got, ok := t.remote[r.URL]
	if !ok {
		if t.Fetch == nil {
			return "", "", fmt.Errorf("nothing may be fetched here")
		}
		a, err := t.Fetch(r)
		if err != nil {
			return "", "", err
		}
		got = brought{t.Mount(fmt.Sprintf("remote-%d", len(t.remote)), a), a.Single}
		if t.remote == nil {
			t.remote = map[string]brought{}
		}
		t.remote[r.URL] = got
	}
	return got.folder, got.single, nil
}

// name returns a file's name for messages: its path in the archive, or on disk.
func (t *Tree) name(file string) string {
	if _, inside, ok := t.find(file); ok {
		return inside
	}
	return file
}

// eachReference visits everything that kustomize would load by path or URL.
func eachReference(fields map[string]any, visit func(string) (string, error)) error {
	for _, key := range []string{"resources", "bases", "components", "crds", "configurations",
		"transformers", "generators", "validators", "patchesStrategicMerge"} {
		if err := each(fields[key], visit); err != nil {
			return err
		}
	}
	for _, key := range []string{"patches", "patchesJson6902", "replacements", "openapi"} {
		if err := eachIn(fields[key], []string{"path"}, visit); err != nil {
			return err
		}
	}
	for _, key := range []string{"configMapGenerator", "secretGenerator"} {
		if err := eachIn(fields[key], []string{"files", "envs", "env"}, visit); err != nil {
			return err
		}
	}
	return nil
}

// each visits the strings of a list, in place.
func each(list any, visit func(string) (string, error)) error {
	items, _ := list.([]any)
	for i, item := range items {
		text, ok := item.(string)
		if !ok {
			continue
		}
		changed, err := afterKey(text, visit)
		if err != nil {
			return err
		}
		items[i] = changed
	}
	return nil
}

// eachIn visits fields of an object, or of each object in a list.
func eachIn(value any, keys []string, visit func(string) (string, error)) error {
	objects, ok := value.([]any)
	if !ok {
		objects = []any{value}
	}
	for _, object := range objects {
		fields, _ := object.(map[string]any)
		for _, key := range keys {
			if err := each(fields[key], visit); err != nil {
				return err
			}
			text, ok := fields[key].(string)
			if !ok {
				continue
			}
			changed, err := visit(text)
			if err != nil {
				return err
			}
			fields[key] = changed
		}
	}
	return nil
}

// afterKey visits the path of "key=path", as generators have it.
func afterKey(text string, visit func(string) (string, error)) (string, error) {
	key, rest, found := strings.Cut(text, "=")
	if !found || strings.ContainsAny(key, "/:?") {
		return visit(text)
	}
	changed, err := visit(rest)
	return key + "=" + changed, err
}
