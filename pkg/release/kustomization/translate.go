package kustomization

import (
	"bytes"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Releases of Kubeflow were made with kustomize 3 to 5, whose versions read some fields in other ways than the library that is
// linked here. translate rewrites these fields, so that every release is built as its authors built it.
//
// To add a difference between versions: one function that changes the parsed file, a call in translate or translateKustomization, a case
// in testdata/translate.

// translate returns the content of a kustomization, or of a file that configures one, in today's terms.
func (t *Tree) translate(name string, content []byte) ([]byte, error) {
	switch {
	case isKustomizationFile(name):
		return t.translateKustomization(name, content)
	case bytes.Contains(content, []byte("path:")) && numbered.Match(content):
		return edited(content, dropNumberedPaths)
	}
	return content, nil
}

// numbered is a quick test for an item's number in a field path.
var numbered = regexp.MustCompile(`/\d+(/|\s|"|'|$)`)

// dropNumberedPaths removes field paths that address an item of a list by its number from a transformer configuration. kustomize 3 found
// nothing at such a path; later versions refuse it as soon as any object in the build has a list there.
func dropNumberedPaths(fields map[string]any) bool {
	if fields["kind"] != nil || fields["apiVersion"] != nil { // an object, not a configuration
		return false
	}
	changed := false
	drop := func(specs []any) []any {
		return slices.DeleteFunc(specs, func(item any) bool {
			spec, _ := item.(map[string]any)
			fieldPath, _ := spec["path"].(string)
			found := slices.ContainsFunc(strings.Split(fieldPath, "/"), func(part string) bool { return part != "" && strings.Trim(part, "0123456789") == "" })
			changed = changed || found
			return found
		})
	}
	for _, key := range []string{"varReference", "namespace", "namePrefix", "nameSuffix", "commonLabels", "commonAnnotations", "templateLabels", "labels", "images", "replicas"} {
		if specs, ok := fields[key].([]any); ok {
			fields[key] = drop(specs)
		}
	}
	references, _ := fields["nameReference"].([]any)
	for _, item := range references {
		if reference, ok := item.(map[string]any); ok {
			if specs, ok := reference["fieldSpecs"].([]any); ok {
				reference["fieldSpecs"] = drop(specs)
			}
		}
	}
	return changed
}

// translateKustomization makes selectors that mean a literal name select it. From 5.8 on, kustomize reads the target of a replacement as a
// regular expression; up to 5.7 it was a name, and releases write $(profile-name) or a name with dots there. A placeholder cannot mean
// anything else in the target of a patch either: as an expression it matches nothing.
func (t *Tree) translateKustomization(name string, content []byte) ([]byte, error) {
	if !bytes.Contains(content, []byte("replacements")) && !placeholder.Match(content) {
		return content, nil
	}
	return edited(content, func(fields map[string]any) bool {
		changed := t.inlineReplacements(name, fields)
		for _, replacement := range maps(fields["replacements"]) {
			for _, target := range maps(replacement["targets"]) {
				for _, selector := range append(maps(target["reject"]), maps(target["select"])...) {
					changed = literal(selector, regexp.QuoteMeta) || changed
				}
			}
		}
		for _, key := range []string{"patches", "patchesJson6902"} {
			for _, patch := range maps(fields[key]) {
				for _, selector := range maps(patch["target"]) {
					changed = literal(selector, quotePlaceholders) || changed
				}
			}
		}
		return changed
	})
}

// placeholder is a variable of kustomize, as in "$(profile-name)".
var placeholder = regexp.MustCompile(`\$\([A-Za-z0-9_.-]+\)`)

// name is what a name can be: letters, digits, dashes and dots, with placeholders.
var plainName = regexp.MustCompile(`^([A-Za-z0-9.-]|\$\([A-Za-z0-9_.-]+\))+$`)

func quotePlaceholders(text string) string {
	return placeholder.ReplaceAllStringFunc(text, regexp.QuoteMeta)
}

// literal quotes the names in a selector.
func literal(selector map[string]any, quote func(string) string) bool {
	changed := false
	for _, key := range []string{"name", "namespace", "group"} {
		text, ok := selector[key].(string)
		if !ok || !plainName.MatchString(text) {
			continue
		}
		if quoted := quote(text); quoted != text {
			selector[key], changed = quoted, true
		}
	}
	return changed
}

// inlineReplacements replaces the reference to a file of replacements with its content, which needs the same translation.
func (t *Tree) inlineReplacements(name string, fields map[string]any) bool {
	var out []any
	changed := false
	items, _ := fields["replacements"].([]any)
	for _, item := range items {
		replacement, _ := item.(map[string]any)
		file, ok := replacement["path"].(string)
		var content []byte
		if ok {
			content, ok = t.beside(name, file)
		}
		var value any
		if !ok || yaml.Unmarshal(content, &value) != nil {
			out = append(out, item) // kustomize reports it
			continue
		}
		changed = true
		if list, ok := value.([]any); ok {
			out = append(out, list...)
		} else {
			out = append(out, value)
		}
	}
	if changed {
		fields["replacements"] = out
	}
	return changed
}

func (t *Tree) beside(file, reference string) ([]byte, bool) {
	if !t.Sealed && !t.Unrestricted && !filepath.IsLocal(reference) {
		return nil, false
	}
	name := path.Join(path.Dir(filepath.ToSlash(file)), filepath.ToSlash(reference))
	content, err := t.read(name)
	return content, err == nil && t.harmless(name, content) == nil
}

// edited parses content, lets edit change it, and returns it unchanged if edit reports no change. What cannot be parsed stays as it is:
// kustomize's error is better.
func edited(content []byte, edit func(map[string]any) bool) ([]byte, error) {
	var fields map[string]any
	if yaml.Unmarshal(content, &fields) != nil || !edit(fields) {
		return content, nil
	}
	return yaml.Marshal(fields)
}

// maps returns the maps in a list, or the one map.
func maps(value any) []map[string]any {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	var out []map[string]any
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok {
			out = append(out, fields)
		}
	}
	return out
}
