package kustomization

import (
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// An archive's kustomization must not include the user's own files. A sealed tree has no disk; in other
// trees, for a kustomization on disk, escape finds the first path in an archive's kustomization, in any
// field, that leads to a file on disk.
func (t *Tree) escape(file string, content []byte) error {
	if _, _, mounted := t.find(file); !mounted || t.Sealed {
		return nil
	}
	var value any
	if yaml.Unmarshal(content, &value) != nil {
		return nil // kustomize's error is better
	}
	return t.escapes(file, value, 3)
}

// escapes also checks YAML inside YAML, and files that configure transformers, up to a depth.
func (t *Tree) escapes(file string, value any, left int) error {
	switch value := value.(type) {
	case map[string]any:
		for _, field := range value {
			if err := t.escapes(file, field, left); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range value {
			if err := t.escapes(file, item, left); err != nil {
				return err
			}
		}
	case string:
		if strings.Contains(value, "\n") {
			return t.nestedEscapes(file, value, left)
		}
		_, after, _ := strings.Cut(value, "=") // key=path, as generators have it
		for _, reference := range []string{value, after} {
			if err := t.pathEscapes(file, filepath.ToSlash(reference), left); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Tree) nestedEscapes(file, text string, left int) error {
	var value any
	if left == 0 || yaml.Unmarshal([]byte(text), &value) != nil {
		return nil
	}
	if _, same := value.(string); same {
		return nil
	}
	return t.escapes(file, value, left-1)
}

func (t *Tree) pathEscapes(file, reference string, left int) error {
	if reference == "" {
		return nil
	}
	name := reference
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(filepath.ToSlash(file)), reference)
	}
	if _, _, mounted := t.find(name); !mounted {
		if disk.Exists(name) {
			return &ReferenceError{Reference: reference, File: t.name(file), Err: ErrLeaves}
		}
		return nil
	}
	content, err := t.read(name)
	if err != nil || left == 0 || isKustomizationFile(name) || !strings.Contains(string(content), "builtin") {
		return nil
	}
	return t.nestedEscapes(name, string(content), left)
}
