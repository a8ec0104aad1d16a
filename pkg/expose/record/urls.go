package record

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ReplaceURL replaces the prefix of all URLs in an object, and reports whether there was any.
func ReplaceURL(o *unstructured.Unstructured, before, now string) bool {
	boundary := regexp.MustCompile(regexp.QuoteMeta(before) + `($|[/"'\s,\]])`)
	changed := false
	var walk func(any) any
	walk = func(value any) any {
		switch v := value.(type) {
		case string:
			after := boundary.ReplaceAllString(v, strings.ReplaceAll(now, "$", "$$")+"$1")
			changed = changed || after != v
			return after
		case map[string]any:
			for key := range v {
				v[key] = walk(v[key])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		}
		return value
	}
	for _, field := range []string{"data", "spec"} {
		if value, has := o.Object[field]; has {
			o.Object[field] = walk(value)
		}
	}
	return changed
}
