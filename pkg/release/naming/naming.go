// Package naming finds names in rendered objects that no API server accepts: what a variable of kustomize left behind, and what the
// API's own validation refuses.
package naming

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Fault is a name that cannot be applied.
type Fault struct {
	Object string // "VirtualService/kubeflow/argo-ui"
	Field  string // "metadata.name", "spec.http[0].route[0].destination.host"
	Value  string
	// Reference says that the object itself can be applied: it refers to an object that cannot exist.
	Reference bool
	Why       string // "is not a valid name: …", "holds the variable $(profile-name), which nothing resolves"
}

// String returns the fault as part of a sentence.
func (f Fault) String() string {
	return fmt.Sprintf("%s: %s %q %s", f.Object, f.Field, f.Value, f.Why)
}

// Check returns the first fault of an object, nil if there is none.
func Check(o *unstructured.Unstructured) *Fault {
	for _, own := range []struct{ field, value string }{{"metadata.name", o.GetName()}, {"metadata.namespace", o.GetNamespace()}} {
		why := unresolved(own.value)
		switch {
		case why != "" || own.value == "":
		case own.field == "metadata.name":
			why = refused(validation(o)(own.value, false))
		default:
			why = refused(apivalidation.ValidateNamespaceName(own.value, false))
		}
		if why != "" {
			return &Fault{Object: identity(o), Field: own.field, Value: own.value, Why: why}
		}
	}
	return references(o)
}

// validation returns the validation of names that the API server applies to the kind.
func validation(o *unstructured.Unstructured) apivalidation.ValidateNameFunc {
	kind := o.GroupVersionKind().GroupKind()
	switch {
	case kind.Group == "rbac.authorization.k8s.io":
		return func(name string, _ bool) []string { return content.IsPathSegmentName(name) }
	case kind.Group == "" && kind.Kind == "Namespace":
		return apivalidation.ValidateNamespaceName
	case kind.Group == "" && kind.Kind == "Service":
		return apivalidation.NameIsDNS1035Label
	}
	return apivalidation.NameIsDNSSubdomain
}

func refused(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return "is not a valid name: " + reasons[0]
}

var variable = regexp.MustCompile(`\$\([A-Za-z0-9_.-]+\)`)

func unresolved(value string) string {
	if found := variable.FindString(value); found != "" {
		return "holds the variable " + found + ", which nothing resolves"
	}
	return ""
}

func identity(o *unstructured.Unstructured) string {
	return strings.ReplaceAll(o.GetKind()+"/"+o.GetNamespace()+"/"+o.GetName(), "//", "/")
}

// references looks for unresolved variables in the fields that name another object. Elsewhere $(NAME) can be meant: the kubelet resolves
// it in a container's command, arguments and variables, Tekton in its own objects.
func references(o *unstructured.Unstructured) *Fault {
	if strings.HasSuffix(o.GroupVersionKind().Group, "tekton.dev") {
		return nil
	}
	for _, field := range slices.Sorted(maps.Keys(o.Object)) { // the same fault each time
		switch field {
		case "metadata", "data", "stringData", "binaryData", "status":
			continue
		}
		if at, text := reference(field, field, o.Object[field]); at != "" {
			return &Fault{Object: identity(o), Field: at, Value: text, Reference: true, Why: unresolved(text)}
		}
	}
	return nil
}

// Resolve replaces variables, named as in "$(namespace)", in the fields that name another object. It reports whether it changed any.
func Resolve(o *unstructured.Unstructured, values map[string]string) bool {
	changed := false
	if references(o) == nil {
		return false
	}
	for field, value := range o.Object {
		if field != "metadata" {
			o.Object[field] = resolved(field, value, values, &changed)
		}
	}
	return changed
}

func resolved(key string, value any, values map[string]string, changed *bool) any {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			value[name] = resolved(name, field, values, changed)
		}
	case []any:
		for i, item := range value {
			value[i] = resolved(key, item, values, changed)
		}
	case string:
		if !names(key) {
			return value
		}
		return variable.ReplaceAllStringFunc(value, func(found string) string {
			if known, ok := values[found[2:len(found)-1]]; ok {
				*changed = true
				return known
			}
			return found
		})
	}
	return value
}

// reference returns the path and the value of the first field that names an object by an unresolved variable.
func reference(at, key string, value any) (string, string) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if name == "openAPIV3Schema" || name == "args" || name == "command" {
				continue
			}
			if found, text := reference(at+"."+name, name, value[name]); found != "" {
				return found, text
			}
		}
	case []any:
		for i, item := range value {
			if found, text := reference(fmt.Sprintf("%s[%d]", at, i), key, item); found != "" {
				return found, text
			}
		}
	case string:
		if names(key) && unresolved(value) != "" {
			return at, value
		}
	}
	return "", ""
}

// names reports whether a field with this key names an object, a namespace or a host.
func names(key string) bool {
	switch key {
	case "host", "hosts", "gateway", "gateways", "dnsNames":
		return true
	}
	lower := strings.ToLower(key)
	return strings.HasSuffix(lower, "name") || strings.HasSuffix(lower, "namespace")
}
