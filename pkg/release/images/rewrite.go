package images

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Rewrite returns an object with the rules applied to every image in it, and whether that changed anything. The first
// matching rule is used. The object itself is not changed.
func Rewrite(o *unstructured.Unstructured, rules []Rule) (*unstructured.Unstructured, bool) {
	if len(Find(o, rules)) == 0 {
		return o, false
	}
	out, changed := o.DeepCopy(), false
	visit(out, func(text string, image bool) string {
		edited := each(text, image, rules, func(found string, r Rule) string { return r.replace(found) })
		changed = changed || edited != text
		return edited
	})
	return out, changed
}

// Find returns the images in an object that match the rules, without duplicates, in order.
func Find(o *unstructured.Unstructured, rules []Rule) []string {
	var found []string
	visit(o, func(text string, image bool) string {
		each(text, image, rules, func(name string, _ Rule) string {
			if !slices.Contains(found, name) {
				found = append(found, name)
			}
			return name
		})
		return text
	})
	slices.Sort(found)
	return found
}

// each replaces the images in a text that match a rule with the result of replace.
func each(text string, image bool, rules []Rule, replace func(string, Rule) string) string {
	if image { // a complete reference, which may omit the registry of Docker Hub
		if full := qualified(text); full != text {
			for _, r := range rules {
				if found, ok := r.match(full); ok && found == full {
					if with := replace(full, r); with != full {
						return with
					}
					return text
				}
			}
		}
	}
	if !image {
		rules = slices.DeleteFunc(slices.Clone(rules), Rule.isWord)
	}
	if !slices.ContainsFunc(rules, func(r Rule) bool { return strings.Contains(text, strings.TrimSuffix(r.From, "/")) }) {
		return text
	}
	var out strings.Builder
	begin := true // of a word
	for i := 0; i < len(text); {
		found := ""
		if begin {
			for _, r := range rules {
				if name, ok := r.match(text[i:]); ok {
					found = name
					out.WriteString(replace(name, r))
					break
				}
			}
		}
		if found == "" {
			found = text[i : i+1]
			out.WriteString(found)
		}
		i += len(found)
		begin = !partOfName(text[i-1])
	}
	return out.String()
}

// qualified expands a reference to an image of Docker Hub: "mysql:8" is "docker.io/library/mysql:8".
func qualified(image string) string {
	first, _, path := strings.Cut(image, "/")
	switch {
	case image == "" || strings.ContainsAny(image, " \n"):
		return image
	case !path:
		return "docker.io/library/" + image
	case !strings.ContainsAny(first, ".:") && first != "localhost":
		return "docker.io/" + image
	}
	return image
}

// holdNone are kinds whose texts mention images that are never pulled.
var holdNone = []string{"CustomResourceDefinition", "Secret", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding", "Namespace", "Service", "ServiceAccount"}

// visit calls edit with every text of an object that may contain images, and replaces the text with the result.
func visit(o *unstructured.Unstructured, edit func(text string, image bool) string) {
	if slices.Contains(holdNone, o.GetKind()) {
		return
	}
	for key, value := range o.Object {
		if key == "metadata" || key == "status" || key == "apiVersion" || key == "kind" {
			continue
		}
		if edited, changed := walk(key, value, edit); changed {
			o.Object[key] = edited
		}
	}
}

func walk(key string, value any, edit func(string, bool) string) (any, bool) {
	changed := false
	switch v := value.(type) {
	case string:
		edited := edit(v, key == "image")
		return edited, edited != v
	case map[string]any:
		for k, item := range v {
			if edited, did := walk(k, item, edit); did {
				v[k], changed = edited, true
			}
		}
	case []any:
		for i, item := range v {
			if edited, did := walk("", item, edit); did {
				v[i], changed = edited, true
			}
		}
	}
	return value, changed
}
