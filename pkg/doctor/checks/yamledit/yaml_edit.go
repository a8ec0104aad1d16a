package yamledit

import (
	"fmt"
	"reflect"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const ExecutorsKey = "containerRuntimeExecutors"

// The edits here change one value in a text of YAML (block or flow style) and leave every other character, comments
// included, as the user wrote it. Each is proven by reading the text again: when anything else came out different, nothing is changed.

// An entry is a key of the outermost mapping, with the places of its key and value in the text.
type entry struct {
	key                  string
	start, value, finish int // offsets: of the key, of the value, and where the next key begins (or the mapping ends)
	node                 *yaml.Node
}

// entries finds the keys of the outermost mapping. flow tells whether it is written in braces.
func entries(content string) (list []entry, flow bool, err error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(content), &document); err != nil {
		return nil, false, err
	}
	if len(document.Content) == 0 {
		return nil, false, nil
	}
	mapping := document.Content[0]
	if mapping.Kind != yaml.MappingNode {
		return nil, false, fmt.Errorf("it is not a mapping")
	}
	at := Offsets(content)
	flow = mapping.Style&yaml.FlowStyle != 0
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if n := len(list); n > 0 {
			list[n-1].finish = at(key)
		}
		list = append(list, entry{key: key.Value, start: at(key), value: at(value), finish: len(content), node: value})
	}
	return list, flow, nil
}

// Offsets returns where in the text a node begins.
func Offsets(content string) func(*yaml.Node) int {
	starts := []int{0}
	for i := range len(content) {
		if content[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return func(n *yaml.Node) int {
		line := starts[n.Line-1]
		column := 1
		for i := range content[line:] { // columns count characters, offsets count bytes
			if column == n.Column {
				return line + i
			}
			column++
		}
		return len(content)
	}
}

// width returns how many bytes a scalar takes in the text.
func width(content string, at int, scalar *yaml.Node) (int, error) {
	rest := content[at:]
	switch {
	case strings.HasPrefix(rest, `"`), strings.HasPrefix(rest, "'"):
		end := strings.Index(rest[1:], rest[:1])
		if end < 0 {
			return 0, fmt.Errorf("a quote is not closed")
		}
		return end + 2, nil
	case strings.HasPrefix(rest, scalar.Value):
		return len(scalar.Value), nil
	}
	return 0, fmt.Errorf("its value is written in a way that cannot be replaced safely")
}

// SetValue replaces the value of a key, or adds the key when it is not there.
func SetValue(content, key, value string) (string, error) {
	list, flow, err := entries(content)
	if err != nil {
		return "", fmt.Errorf("reading the configuration: %w", err)
	}
	for _, e := range list {
		if e.key != key {
			continue
		}
		if e.node.Value == "" && e.value >= len(content) || e.node.Tag == "!!null" {
			return "", fmt.Errorf("%s has no value to replace", key)
		}
		n, err := width(content, e.value, e.node)
		if err != nil {
			return "", fmt.Errorf("%s: %w", key, err)
		}
		return proven(content, content[:e.value]+value+content[e.value+n:], func(m map[string]any) { m[key] = value })
	}
	edited := key + ": " + value + "\n" + content
	if flow {
		brace := strings.Index(content, "{") + 1
		edited = content[:brace] + "\n" + key + ": " + value + "," + content[brace:]
	}
	return proven(content, edited, func(m map[string]any) { m[key] = value })
}

// RemoveKey takes a key and its value out.
func RemoveKey(content, key string) (string, error) {
	list, flow, err := entries(content)
	if err != nil {
		return "", fmt.Errorf("reading the configuration: %w", err)
	}
	for i, e := range list {
		if e.key != key {
			continue
		}
		start, finish := e.start, e.finish
		if flow && i == len(list)-1 {
			finish = e.value
			n, err := width(content, e.value, e.node)
			if err != nil {
				return "", fmt.Errorf("%s: %w", key, err)
			}
			finish += n
			if i > 0 { // the comma before it goes with it
				start = strings.LastIndex(content[:start], ",")
			}
		}
		return proven(content, content[:start]+content[finish:], func(m map[string]any) { delete(m, key) })
	}
	return content, nil
}

// SetNames replaces every name of the list of executors that is docker. The text is the list, or holds it.
func SetNames(content, value string) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(content), &document); err != nil {
		return "", fmt.Errorf("reading %s: %w", ExecutorsKey, err)
	}
	names := dockerNames(&document)
	at := Offsets(content)
	for i := len(names) - 1; i >= 0; i-- { // from the end, so that the places before stay where they are
		place := at(names[i])
		n, err := width(content, place, names[i])
		if err != nil {
			return "", fmt.Errorf("%s: %w", ExecutorsKey, err)
		}
		content = content[:place] + value + content[place+n:]
	}
	return content, nil
}

// dockerNames finds the scalars to replace, in the order of the text.
func dockerNames(document *yaml.Node) []*yaml.Node {
	if len(document.Content) == 0 {
		return nil
	}
	list := document.Content[0]
	if value := ValueOf(list, ExecutorsKey); value != nil {
		list = value
	}
	var names []*yaml.Node
	for _, item := range list.Content {
		if name := ValueOf(item, "name"); name != nil && name.Value == "docker" {
			names = append(names, name)
		}
	}
	return names
}

// ValueOf returns the value of a mapping's key, nil when it is none or has it not.
func ValueOf(mapping *yaml.Node, key string) *yaml.Node {
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// proven returns the edited text if it reads as the original with just that edit.
func proven(original, edited string, edit func(map[string]any)) (string, error) {
	want, got := map[string]any{}, map[string]any{}
	if err := yaml.Unmarshal([]byte(original), &want); err != nil {
		return "", err
	}
	edit(want)
	if err := yaml.Unmarshal([]byte(edited), &got); err != nil || !reflect.DeepEqual(want, got) {
		return "", fmt.Errorf("the configuration is written in a way that cannot be edited safely")
	}
	return edited, nil
}
