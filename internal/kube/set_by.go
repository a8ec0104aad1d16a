package kube

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// SetBy reports whether the server notes that one of these field managers set what a JSON pointer names. Only who can write the object
// can make it note that.
func SetBy(o *unstructured.Unstructured, pointer string, managers ...string) bool {
	path := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range path {
		path[i] = unescape.Replace(path[i])
	}
	return slices.ContainsFunc(o.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		var set map[string]any
		return slices.Contains(managers, entry.Manager) && entry.FieldsV1 != nil && json.Unmarshal(entry.FieldsV1.GetRawBytes(), &set) == nil &&
			holds(set, o.Object, path)
	})
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// holds reports whether a set of fields holds the one at a path in a value. A field without fields of its own is owned as a whole.
func holds(set map[string]any, value any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	keys, next := []string{}, any(nil)
	switch v := value.(type) {
	case map[string]any:
		keys, next = append(keys, "f:"+path[0]), v[path[0]]
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(v) {
			return false
		}
		keys, next = elementsOf(set, v[i], i), v[i]
	}
	return slices.ContainsFunc(keys, func(key string) bool {
		below, found := set[key].(map[string]any)
		return found && (len(below) == 0 || holds(below, next, path[1:]))
	})
}

// elementsOf returns how a set may name an element of a list: by its key fields, its value, or its index.
func elementsOf(set map[string]any, element any, index int) []string {
	keys := []string{fmt.Sprintf("i:%d", index)}
	if value, err := json.Marshal(element); err == nil {
		keys = append(keys, "v:"+string(value))
	}
	fields, _ := element.(map[string]any)
	for name := range set {
		key, found := strings.CutPrefix(name, "k:")
		var want map[string]any
		if !found || json.Unmarshal([]byte(key), &want) != nil {
			continue
		}
		same := true
		for field, value := range want {
			same = same && fmt.Sprint(fields[field]) == fmt.Sprint(value)
		}
		if same {
			keys = append(keys, name)
		}
	}
	return keys
}
