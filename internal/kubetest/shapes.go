package kubetest

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	sigsyaml "sigs.k8s.io/yaml"
)

// A Shape is a cluster that differs from one in a file by an object that is added, or by a field.
type Shape struct {
	About  string `json:"about"`
	Base   string `json:"base"`   // the file, without its folder and .yaml
	Add    string `json:"add"`    // objects; one of the same kind, namespace and name is replaced
	On     string `json:"in"`     // KIND/NAME of the object that is changed; without a path it is deleted
	At     string `json:"at"`     // the path of a field: spec.rules.0.to
	To     any    `json:"to"`     // its value; none deletes it
	Text   string `json:"text"`   // a part of a text field, which To replaces
	Proven bool   `json:"proven"` // what is right
	Why    string `json:"why"`    // a part of the reason
}

// Shapes reads the shapes of a file, which lie beside a folder of the same name with their bases.
func Shapes(t testing.TB, file string) []Shape {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []Shape
	if err := sigsyaml.UnmarshalStrict(data, &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return all
}

// Objects returns the objects of a shape.
func (s Shape) Objects(t testing.TB, folder string) []*unstructured.Unstructured {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, s.Base+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	objects := Objects(t, data)
	for _, added := range Objects(t, []byte(s.Add)) {
		objects = slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool {
			return o.GetKind() == added.GetKind() && o.GetNamespace() == added.GetNamespace() && o.GetName() == added.GetName()
		})
		objects = append(objects, added)
	}
	if s.On == "" {
		return objects
	}
	i := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind()+"/"+o.GetName() == s.On })
	if i < 0 {
		t.Fatalf("%s: %s has no %s", s.About, s.Base, s.On)
	}
	if s.At == "" {
		return slices.Delete(objects, i, i+1)
	}
	var path []any
	for part := range strings.SplitSeq(s.At, ".") {
		if n, err := strconv.Atoi(part); err == nil {
			path = append(path, n)
		} else {
			path = append(path, strings.ReplaceAll(part, "|", "."))
		}
	}
	to := s.To
	if s.Text != "" {
		old, _ := Field(objects[i].Object, path...).(string)
		with, _ := to.(string)
		if !bytes.Contains([]byte(old), []byte(s.Text)) {
			t.Fatalf("%s: %s has no %q", s.About, s.On, s.Text)
		}
		to = strings.Replace(old, s.Text, with, 1)
	}
	changed, _ := Set(objects[i].Object, to, path...).(map[string]any)
	objects[i] = &unstructured.Unstructured{Object: changed}
	return objects
}

// Field returns the value at a path of keys and indices, nil when there is none.
func Field(value any, path ...any) any {
	for _, step := range path {
		switch in := value.(type) {
		case map[string]any:
			key, _ := step.(string)
			value = in[key]
		case []any:
			n, _ := step.(int)
			if n >= len(in) {
				return nil
			}
			value = in[n]
		default:
			return nil
		}
	}
	return value
}

// Set returns a copy of a value with another one at a path; nil removes what is there.
func Set(value, to any, path ...any) any {
	if len(path) == 0 {
		return to
	}
	switch step := path[0].(type) {
	case string:
		out := map[string]any{}
		in, _ := value.(map[string]any)
		for key, v := range in {
			out[key] = v
		}
		if out[step] = Set(out[step], to, path[1:]...); out[step] == nil {
			delete(out, step)
		}
		return out
	case int:
		in, _ := value.([]any)
		out := slices.Clone(in)
		if step >= len(out) {
			return append(out, Set(nil, to, path[1:]...))
		}
		if out[step] = Set(out[step], to, path[1:]...); out[step] == nil {
			return slices.Delete(out, step, step+1)
		}
		return out
	}
	return value
}
