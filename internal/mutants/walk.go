package mutants

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A leaf is a value in an object that is neither a map nor a list, and how to reach it.
type leaf struct {
	object *unstructured.Unstructured
	keys   []any
	value  any
	beside map[string]any // the map that the value is in
}

// path returns the field as people write it: "spec.rules[0].host".
func path(keys []any) string {
	var b strings.Builder
	for _, key := range keys {
		switch k := key.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(k) + "]")
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(k)
		}
	}
	return b.String()
}

var index = regexp.MustCompile(`\[\d+\]`)

// shape returns a path without its indices.
func shape(path string) string { return index.ReplaceAllString(path, "[]") }

// each calls a function with every value below one, maps and lists too, in a fixed order.
func each(value any, keys []any, in map[string]any, do func(keys []any, value any, in map[string]any)) {
	if len(keys) > 0 {
		do(keys, value, in)
	}
	switch v := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			each(v[name], append(slices.Clone(keys), name), v, do)
		}
	case []any:
		for i := range v {
			each(v[i], append(slices.Clone(keys), i), in, do)
		}
	}
}

// with returns a copy of an object with another value at a field; nil removes it.
func with(o *unstructured.Unstructured, value any, keys []any) *unstructured.Unstructured {
	out := o.DeepCopy()
	var at any = out.Object
	for _, key := range keys[:len(keys)-1] {
		switch k := key.(type) {
		case string:
			at = at.(map[string]any)[k]
		case int:
			at = at.([]any)[k]
		}
	}
	last := keys[len(keys)-1]
	switch in := at.(type) {
	case map[string]any:
		if value == nil {
			delete(in, last.(string))
		} else {
			in[last.(string)] = value
		}
	case []any:
		in[last.(int)] = value
	}
	return out
}
