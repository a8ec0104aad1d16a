package references

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A place is a field of an object that holds a value.
type place struct {
	object *unstructured.Unstructured
	path   string // "spec.rules[0].host"
	value  any
	beside map[string]any // the map that the field is in, or that holds the list it is in
	above  map[string]any // the map around that
}

// text returns the value of a field beside this one.
func (p place) text(field string) string {
	value, _ := p.beside[field].(string)
	return value
}

// places calls a function for each field that a pattern matches: "spec.rules[].host". [] is each item of a list, {} each value of a map.
func places(o *unstructured.Unstructured, pattern string, do func(place)) {
	walk(place{object: o, value: o.Object}, strings.Split(pattern, "."), do)
}

func walk(at place, pattern []string, do func(place)) {
	if len(pattern) == 0 {
		if at.value != nil {
			do(at)
		}
		return
	}
	in, ok := at.value.(map[string]any)
	if !ok {
		return
	}
	name, items := strings.CutSuffix(pattern[0], "[]")
	var names []string
	switch {
	case name == "{}":
		names = slices.Sorted(maps.Keys(in))
	case strings.HasPrefix(name, "{"):
		names = strings.Split(strings.Trim(name, "{}"), ",")
	default:
		names = []string{strings.ReplaceAll(name, "~", ".")}
	}
	for _, name := range names {
		next := place{object: at.object, path: strings.TrimPrefix(at.path+"."+name, "."), value: in[name], beside: in, above: at.beside}
		list, isList := next.value.([]any)
		if !items {
			walk(next, pattern[1:], do)
		} else if isList {
			for i, item := range list {
				one := next
				one.path, one.value = fmt.Sprintf("%s[%d]", next.path, i), item
				walk(one, pattern[1:], do)
			}
		}
	}
}
