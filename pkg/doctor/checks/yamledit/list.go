package yamledit

import (
	"fmt"
	"reflect"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// SetItem sets the item of a list of the outermost mapping whose field id has the value that the item has there: it replaces that one, or is
// added at the end of the list, which may be missing. Every other character stays. The list has to be in block style.
func SetItem(content, list, id string, item map[string]any) (string, error) {
	all, flow, err := entries(content)
	if err != nil {
		return "", fmt.Errorf("reading the configuration: %w", err)
	}
	if flow {
		return "", fmt.Errorf("the configuration is written in a way that cannot be edited safely")
	}
	var found *entry
	for i := range all {
		if all[i].key == list {
			found = &all[i]
		}
	}
	edited := ""
	switch {
	case found == nil:
		if content != "" && !strings.HasSuffix(content, "\n") {
			content += "\n"
		}
		text, err := asItem(item, 0)
		if err != nil {
			return "", err
		}
		edited = content + list + ":\n" + text
	case found.node.Kind == yaml.SequenceNode && len(found.node.Content) > 0 && found.node.Style&yaml.FlowStyle == 0:
		if edited, err = inList(content, *found, id, item); err != nil {
			return "", err
		}
	default: // [] or nothing
		text, err := asItem(item, 0)
		if err != nil {
			return "", err
		}
		start := strings.Index(content[found.start:], "\n")
		if len(found.node.Content) > 0 || start < 0 && found.end < len(content) {
			return "", fmt.Errorf("%s is written in a way that cannot be edited safely", list)
		}
		if start < 0 {
			edited = content[:found.start] + list + ":\n" + text
		} else {
			edited = content[:found.start] + list + ":\n" + text + content[found.start+start+1:]
		}
	}
	return verified(content, edited, func(m map[string]any) { setItem(m, list, id, item) })
}

// inList returns the text with the item in a list that has some.
func inList(content string, in entry, id string, item map[string]any) (string, error) {
	at := Offsets(content)
	line := func(offset int) int { return strings.LastIndex(content[:offset], "\n") + 1 }
	items := in.node.Content
	dash := strings.Index(content[line(at(items[0])):], "-")
	text, err := asItem(item, dash)
	if err != nil {
		return "", err
	}
	end := in.end
	for i, node := range items {
		if node.Kind != yaml.MappingNode {
			continue
		}
		if value := ValueOf(node, id); value != nil && value.Value == item[id] {
			if i+1 < len(items) {
				end = line(at(items[i+1]))
			}
			return content[:line(at(node))] + text + content[end:], nil
		}
	}
	before := content[:end]
	if !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	return before + text + content[end:], nil
}

// asItem returns an item of a list in block style, with this many spaces before its dash.
func asItem(item map[string]any, indent int) (string, error) {
	out, err := yaml.Marshal([]any{item})
	if err != nil {
		return "", err
	}
	text := ""
	for line := range strings.Lines(string(out)) {
		text += strings.Repeat(" ", indent) + line
	}
	return text, nil
}

func setItem(m map[string]any, list, id string, item map[string]any) {
	items, _ := m[list].([]any)
	for i, o := range items {
		if one, ok := o.(map[string]any); ok && reflect.DeepEqual(one[id], item[id]) {
			items[i] = item
			return
		}
	}
	m[list] = append(items, item)
}
