package kustomization

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// object converts kustomize's nodes into a plain object. The library converts through YAML and JSON text,
// which takes longer than all patches together.
func object(node *yaml.Node) (*unstructured.Unstructured, error) {
	content, err := value(node)
	if err != nil {
		return nil, err
	}
	fields, ok := content.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("line %d is not an object", node.Line)
	}
	return &unstructured.Unstructured{Object: fields}, nil
}

func value(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.DocumentNode:
		return value(node.Content[0])
	case yaml.AliasNode:
		return value(node.Alias)
	case yaml.MappingNode:
		return mapping(node)
	case yaml.SequenceNode:
		items := make([]any, len(node.Content))
		for i, item := range node.Content {
			var err error
			if items[i], err = value(item); err != nil {
				return nil, err
			}
		}
		return items, nil
	default:
		return scalar(node)
	}
}

func mapping(node *yaml.Node) (map[string]any, error) {
	fields := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		field, err := value(node.Content[i+1])
		if err != nil {
			return nil, err
		}
		fields[node.Content[i].Value] = field
	}
	return fields, nil
}

// scalar converts to JSON types: a date is a string, and numbers are int64 if possible.
func scalar(node *yaml.Node) (any, error) {
	switch node.ShortTag() {
	case yaml.NodeTagNull:
		return nil, nil
	case yaml.NodeTagBool:
		var b bool
		err := node.Decode(&b)
		return b, err
	case yaml.NodeTagInt:
		if n, err := strconv.ParseInt(node.Value, 10, 64); err == nil && node.Value[0] != '0' {
			return n, nil
		}
		var n int64
		err := node.Decode(&n)
		return n, err
	case yaml.NodeTagFloat:
		var f float64
		err := node.Decode(&f)
		return f, err
	default:
		return node.Value, nil
	}
}
