package yamledit

import (
	"fmt"
	"reflect"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

const ExecutorsKey = "containerRuntimeExecutors"

// The edits here change one value in YAML text (block or flow style) and keep every other character, comments included.
// Each edit is verified by parsing the result: if anything else differs, nothing is changed.

// An entry is a key of the outermost mapping, with the places of its key and value in the text.
type entry struct {
	key               string
	start, value, end int // offsets: of the key, of the value, and where the next key begins (or the mapping ends)
	node              *yaml.Node
}

// Parse parses the text of a field, within bounds: as a value, or as nodes with their places in the text.
func Parse(text string, into any) error {
	if err := bounded.Text(text); err != nil {
		return err
	}
	return yaml.Unmarshal([]byte(text), into)
}

// entries finds the keys of the outermost mapping. flow reports whether it is in flow style (braces).
func entries(content string) (list []entry, flow bool, err error) {
	var document yaml.Node
	if err := Parse(content, &document); err != nil {
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
			list[n-1].end = at(key)
		}
		list = append(list, entry{key: key.Value, start: at(key), value: at(value), end: len(content), node: value})
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

// SetValue replaces the value of a key, or adds a missing key.
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
		return verified(content, content[:e.value]+value+content[e.value+n:], func(m map[string]any) { m[key] = value })
	}
	edited := key + ": " + value + "\n" + content
	if flow {
		brace := strings.Index(content, "{") + 1
		edited = content[:brace] + "\n" + key + ": " + value + "," + content[brace:]
	}
	return verified(content, edited, func(m map[string]any) { m[key] = value })
}

// RemoveKey removes a key and its value.
func RemoveKey(content, key string) (string, error) {
	list, flow, err := entries(content)
	if err != nil {
		return "", fmt.Errorf("reading the configuration: %w", err)
	}
	for i, e := range list {
		if e.key != key {
			continue
		}
		start, finish := e.start, e.end
		if flow && i == len(list)-1 {
			finish = e.value
			n, err := width(content, e.value, e.node)
			if err != nil {
				return "", fmt.Errorf("%s: %w", key, err)
			}
			finish += n
			if i > 0 { // remove the preceding comma too
				start = strings.LastIndex(content[:start], ",")
			}
		}
		return verified(content, content[:start]+content[finish:], func(m map[string]any) { delete(m, key) })
	}
	return content, nil
}

// SetNames replaces every name of the list of executors that is docker. The text is the list, or holds it.
func SetNames(content, value string) (string, error) {
	var document yaml.Node
	if err := Parse(content, &document); err != nil {
		return "", fmt.Errorf("reading %s: %w", ExecutorsKey, err)
	}
	names := dockerNames(&document)
	at := Offsets(content)
	for i := len(names) - 1; i >= 0; i-- { // from the end, so that earlier offsets stay valid
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

// ValueOf returns the value of a mapping's key, or nil.
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

// verified returns the edited text if it parses as the original with only that edit.
func verified(original, edited string, edit func(map[string]any)) (string, error) {
	want, got := map[string]any{}, map[string]any{}
	if err := Parse(original, &want); err != nil {
		return "", err
	}
	edit(want)
	if err := Parse(edited, &got); err != nil || !reflect.DeepEqual(want, got) {
		return "", fmt.Errorf("the configuration is written in a way that cannot be edited safely")
	}
	return edited, nil
}
