package manifests

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// decoder compares values with schemas, as the API server does when it decodes an object.
type decoder struct {
	builtIn  bool // the kind is Kubernetes' own: no number in it is negative
	preserve bool // unknown fields are kept everywhere
	errs     field.ErrorList
}

func (d *decoder) fail(err *field.Error) { d.errs = append(d.errs, err) }

func (d *decoder) value(at *field.Path, s *fieldSchema, value any) {
	s, name := s.resolved()
	if s == nil || value == nil {
		return
	}
	switch {
	case strings.HasSuffix(name, ".resource.Quantity"):
		d.quantity(at, value)
		return
	case strings.HasSuffix(name, ".intstr.IntOrString") || s.IntOrString:
		if !isNumber(value) && !isText(value) {
			d.mistyped(at, value, "an integer or a string")
		} else if n, ok := value.(int64); ok && n < 0 && d.builtIn {
			d.fail(field.Invalid(at, n, "must not be negative"))
		} else {
			d.limits(at, s, value)
		}
		return
	}
	switch s.Type {
	case "object":
		d.object(at, s, value)
	case "array":
		d.list(at, s, value)
	case "string":
		d.text(at, s, value)
	case "integer", "number":
		d.number(at, s, value)
	case "boolean":
		if _, ok := value.(bool); !ok {
			d.mistyped(at, value, "true or false")
		}
	}
}

func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64:
		return true
	}
	return false
}

func isText(value any) bool { _, ok := value.(string); return ok }

func (d *decoder) mistyped(at *field.Path, value any, wanted string) {
	found := map[bool]string{true: "a string"}[isText(value)]
	switch value.(type) {
	case bool:
		found = "a Boolean"
	case int64, float64:
		found = "a number"
	case map[string]any:
		found = "an object"
	case []any:
		found = "a list"
	}
	d.fail(field.TypeInvalid(at, field.OmitValueType{}, "must be "+wanted+", not "+found))
}

func (d *decoder) object(at *field.Path, s *fieldSchema, value any) {
	in, ok := value.(map[string]any)
	if !ok {
		d.mistyped(at, value, "an object")
		return
	}
	for _, name := range s.Required {
		if in[name] == nil {
			d.fail(field.Required(child(at, name), ""))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if at == nil && name == "status" {
			continue // controllers write it
		}
		switch below, known := s.Properties[name]; {
		case known:
			d.value(child(at, name), below, in[name])
		case s.Values != nil && s.Values.fieldSchema != nil:
			d.value(at.Key(name), s.Values.fieldSchema, in[name])
		case len(s.Properties) == 0 || s.Preserve || d.preserve || s.Embedded || at == nil && slices.Contains([]string{"apiVersion", "kind", "metadata"}, name):
		default:
			d.unknown(at, name, s)
		}
	}
}

func (d *decoder) unknown(at *field.Path, name string, s *fieldSchema) {
	detail := "unknown field"
	if near := text.Closest(name, slices.Sorted(maps.Keys(s.Properties))); near != "" {
		detail += ": did you mean " + near + "?"
	}
	d.fail(field.Forbidden(child(at, name), detail))
}

func child(at *field.Path, name string) *field.Path {
	if at == nil {
		return field.NewPath(name)
	}
	return at.Child(name)
}

func (d *decoder) list(at *field.Path, s *fieldSchema, value any) {
	in, ok := value.([]any)
	if !ok {
		d.mistyped(at, value, "a list")
		return
	}
	if s.MinItems != nil && len(in) < *s.MinItems {
		d.fail(field.Required(at, fmt.Sprintf("must have at least %d items", *s.MinItems)))
	}
	if s.MaxItems != nil && len(in) > *s.MaxItems {
		d.fail(field.TooMany(at, len(in), *s.MaxItems))
	}
	seen := map[string]bool{}
	keys := s.ListKeys
	for i, item := range in {
		if s.Items != nil {
			d.value(at.Index(i), s.Items, item)
		}
		if key := keyOf(item, keys, s.ListType); key != "" {
			if seen[key] {
				d.fail(field.Duplicate(at.Index(i), key))
			}
			seen[key] = true
		}
	}
}

// keyOf returns what tells an item of a list from the others, "" where nothing has to.
func keyOf(item any, keys []string, listType string) string {
	if listType == "set" {
		return fmt.Sprint(item)
	}
	in, ok := item.(map[string]any)
	if !ok || listType != "map" {
		return ""
	}
	var parts []string
	for _, key := range keys {
		value := in[key]
		if value == nil && key == "protocol" {
			value = "TCP"
		}
		parts = append(parts, fmt.Sprintf("%s=%v", key, value))
	}
	return strings.Join(parts, ",")
}

func (d *decoder) text(at *field.Path, s *fieldSchema, value any) {
	in, ok := value.(string)
	if !ok {
		d.mistyped(at, value, "a string")
		return
	}
	if s.Format == "byte" {
		if _, err := base64.StdEncoding.DecodeString(in); err != nil {
			d.fail(field.Invalid(at, field.OmitValueType{}, "must be base64"))
		}
	}
	d.limits(at, s, value)
}

func (d *decoder) limits(at *field.Path, s *fieldSchema, value any) {
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(one any) bool { return fmt.Sprint(one) == fmt.Sprint(value) }) {
		var supported []string
		for _, one := range s.Enum {
			supported = append(supported, fmt.Sprint(one))
		}
		d.fail(field.NotSupported(at, shortened(fmt.Sprint(value)), supported))
		return
	}
	in, ok := value.(string)
	if !ok {
		return
	}
	if n := utf8.RuneCountInString(in); s.MaxLength != nil && n > *s.MaxLength {
		d.fail(field.TooLong(at, "", *s.MaxLength))
	} else if s.MinLength != nil && n < *s.MinLength {
		d.fail(field.Invalid(at, in, fmt.Sprintf("must have at least %d characters", *s.MinLength)))
	}
	if s.Pattern != "" && !matches(s.Pattern, in) {
		d.fail(field.Invalid(at, shortened(in), "must match "+s.Pattern))
	}
}

// matches reports whether a text matches a pattern; a pattern that Go cannot read matches all.
func matches(pattern, in string) bool {
	expression, err := regexp.Compile(pattern)
	return err != nil || expression.MatchString(in)
}

func shortened(in string) string {
	if len(in) > 60 {
		return in[:60] + "..."
	}
	return in
}

func (d *decoder) number(at *field.Path, s *fieldSchema, value any) {
	var n float64
	switch v := value.(type) {
	case int64:
		n = float64(v)
	case float64:
		if n = v; s.Type == "integer" && v != math.Trunc(v) {
			d.mistyped(at, value, "an integer")
		}
	default:
		d.mistyped(at, value, map[bool]string{true: "an integer", false: "a number"}[s.Type == "integer"])
		return
	}
	switch {
	case s.Minimum != nil && n < *s.Minimum:
		d.fail(field.Invalid(at, value, fmt.Sprintf("must not be below %v", *s.Minimum)))
	case s.Maximum != nil && n > *s.Maximum:
		d.fail(field.Invalid(at, value, fmt.Sprintf("must not be above %v", *s.Maximum)))
	case s.Format == "int32" && math.Abs(n) > math.MaxInt32:
		d.fail(field.Invalid(at, value, "must fit in 32 bits"))
	case d.builtIn && n < 0:
		d.fail(field.Invalid(at, value, "must not be negative"))
	default:
		d.limits(at, s, value)
	}
}

func (d *decoder) quantity(at *field.Path, value any) {
	if !isNumber(value) && !isText(value) {
		d.mistyped(at, value, "a quantity")
		return
	}
	q, err := resource.ParseQuantity(fmt.Sprint(value))
	if err != nil {
		d.fail(field.Invalid(at, shortened(fmt.Sprint(value)), "must be a quantity, such as 500m or 2Gi"))
	} else if q.Sign() < 0 {
		d.fail(field.Invalid(at, value, "must not be negative"))
	}
}
