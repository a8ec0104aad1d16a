package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Field is a value that two states of an object do not share. A state that does not have it has nil.
type Field struct {
	Pointer       string // RFC 6901
	Before, After any    // a text, number, truth value, or an empty map or list
}

// Empty reports whether the field is a map or list with nothing in it, where it exists.
func (f Field) Empty() bool { return hollow(f.Before) && hollow(f.After) }

func hollow(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// ChangedFields returns what differs between two states of an object, in order, without what the server keeps for itself.
func ChangedFields(before, after *unstructured.Unstructured) []Field {
	a, b := leaves(before), leaves(after)
	var fields []Field
	for pointer, value := range a {
		if now, both := b[pointer]; !both || !reflect.DeepEqual(value, now) {
			fields = append(fields, Field{pointer, value, b[pointer]})
		}
	}
	for pointer := range maps.Keys(b) {
		if _, both := a[pointer]; !both {
			fields = append(fields, Field{pointer, nil, b[pointer]})
		}
	}
	slices.SortFunc(fields, func(x, y Field) int { return cmp.Compare(x.Pointer, y.Pointer) })
	return fields
}

// leaves returns every value of an object that holds no other, by its JSON pointer.
func leaves(o *unstructured.Unstructured) map[string]any {
	all := map[string]any{}
	var walk func(pointer string, value any)
	walk = func(pointer string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, item := range v {
				walk(pointer+"/"+pointerSegment.Replace(key), item)
			}
			if len(v) > 0 {
				return
			}
		case []any:
			for i, item := range v {
				walk(fmt.Sprintf("%s/%d", pointer, i), item)
			}
			if len(v) > 0 {
				return
			}
		}
		all[pointer] = value
	}
	if o != nil {
		walk("", stripped(o))
	}
	return all
}

var pointerSegment = strings.NewReplacer("~", "~0", "/", "~1")
