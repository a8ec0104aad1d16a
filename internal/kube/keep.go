package kube

import (
	gojson "encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
)

// Keep says which fields of an object are wanted. Where thousands of objects are read for a few of their fields, the rest is
// dropped as it arrives.
type Keep struct {
	all   bool
	below map[string]*Keep
}

// KeepOf reads paths separated by spaces, each like "spec/containers/image": in a list, the field of each item.
func KeepOf(paths string) *Keep {
	if read, known := keeps.Load(paths); known {
		return read.(*Keep)
	}
	root := &Keep{}
	for path := range strings.FieldsSeq(paths) {
		at := root
		for name := range strings.SplitSeq(path, "/") {
			if at.below == nil {
				at.below = map[string]*Keep{}
			}
			if at.below[name] == nil {
				at.below[name] = &Keep{}
			}
			at = at.below[name]
		}
		at.all = true
	}
	keeps.Store(paths, root)
	return root
}

// keeps holds what was read: a program names few, and many times each.
var keeps sync.Map

// Object returns the wanted fields of an object. What is kept is shared with the object, not copied.
func (k *Keep) Object(o map[string]any) map[string]any {
	kept, _ := k.value(o).(map[string]any)
	return kept
}

func (k *Keep) value(of any) any {
	if k.all {
		return of
	}
	switch v := of.(type) {
	case map[string]any:
		kept := make(map[string]any, len(k.below))
		for name, below := range k.below {
			if field, found := v[name]; found {
				kept[name] = below.value(field)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, item := range v {
			kept[i] = k.value(item)
		}
		return kept
	}
	return of
}

// Struct returns the wanted fields of an object of Kubernetes' Go types, as they stand in its JSON.
func (k *Keep) Struct(o runtime.Object) (map[string]any, error) {
	kept, err := k.field(reflect.ValueOf(o).Elem())
	fields, _ := kept.(map[string]any)
	return fields, err
}

func (k *Keep) field(v reflect.Value) (any, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, nil
		}
		return k.field(v.Elem())
	}
	switch marshaler := v.CanInterface() && v.Type().Implements(jsonMarshaler); {
	case marshaler, v.CanAddr() && v.Addr().Type().Implements(jsonMarshaler), v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return asJSON(v)
	case v.Kind() == reflect.Struct:
		kept := make(map[string]any, len(k.below))
		return kept, k.into(kept, v)
	case v.Kind() == reflect.Slice:
		kept := make([]any, v.Len())
		for i := range kept {
			var err error
			if kept[i], err = k.field(v.Index(i)); err != nil {
				return nil, err
			}
		}
		return kept, nil
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		kept := make(map[string]any, v.Len())
		for each := v.MapRange(); each.Next(); {
			if below := k.of(each.Key().String()); below != nil {
				var err error
				if kept[each.Key().String()], err = below.field(each.Value()); err != nil {
					return nil, err
				}
			}
		}
		return kept, nil
	case v.Kind() == reflect.String:
		return v.String(), nil
	case v.Kind() == reflect.Bool:
		return v.Bool(), nil
	case v.CanInt():
		return v.Int(), nil
	}
	return asJSON(v)
}

// of returns what is wanted below a field, nil for nothing.
func (k *Keep) of(name string) *Keep {
	if k.all {
		return k
	}
	return k.below[name]
}

// into adds the wanted fields of a struct. Those that are not set are left out, as in JSON, and so are empty structs.
func (k *Keep) into(kept map[string]any, v reflect.Value) error {
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == "" && v.Type().Field(i).Anonymous {
			if err := k.into(kept, v.Field(i)); err != nil {
				return err
			}
			continue
		}
		below := k.of(name)
		if below == nil || v.Field(i).IsZero() && (strings.Contains(options, "omit") || v.Field(i).Kind() == reflect.Struct) {
			continue
		}
		var err error
		if kept[name], err = below.field(v.Field(i)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

var jsonMarshaler = reflect.TypeFor[gojson.Marshaler]()

// asJSON returns a value as it is decoded from its JSON.
func asJSON(v reflect.Value) (any, error) {
	encoded, err := json.Marshal(v.Interface())
	if err != nil {
		return nil, err
	}
	var kept any
	return kept, json.Unmarshal(encoded, &kept)
}
