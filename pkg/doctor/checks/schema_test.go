package checks

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const schemaFile = "../../../docs/report.schema.json"

// enums are the values of the types that have only some.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[doctor.Severity](): {string(doctor.Info), string(doctor.Warning), string(doctor.Error)},
	reflect.TypeFor[doctor.Status]():   {string(doctor.OK), string(doctor.Found), string(doctor.NotApplicable), string(doctor.Unknown)},
	reflect.TypeFor[doctor.Impact]():   {string(doctor.Safe), string(doctor.RestartsPods), string(doctor.LosesData)},
	reflect.TypeFor[doctor.Outcome]():  {string(doctor.Fixed), string(doctor.Planned), string(doctor.Remains), string(doctor.Worse), string(doctor.Failed), string(doctor.Refused)},
	reflect.TypeFor[cluster.Verb]():    {string(cluster.Apply), string(cluster.Create), string(cluster.Patch), string(cluster.Delete), string(cluster.Restart)},
}

// shownAs are the types that write something else than their fields.
var shownAs = map[reflect.Type]reflect.Type{
	reflect.TypeFor[doctor.Fix](): reflect.TypeFor[struct {
		Title   string               `json:"title"`
		Impact  doctor.Impact        `json:"impact"`
		Changes []doctor.ShownChange `json:"changes"`
	}](),
	reflect.TypeFor[doctor.FixResult](): reflect.TypeFor[struct {
		Check   string               `json:"check"`
		About   doctor.Subject       `json:"about"`
		Outcome doctor.Outcome       `json:"outcome"`
		Reason  string               `json:"reason,omitempty"`
		Run     string               `json:"run,omitempty"`
		Title   string               `json:"title"`
		Impact  doctor.Impact        `json:"impact"`
		Changes []doctor.ShownChange `json:"changes"`
	}](),
}

// schemaOf returns the JSON schema of a Go type. A field that may be omitted is not required; others are not allowed to be added unnoticed, but
// readers have to accept them: later versions add fields.
func schemaOf(t reflect.Type) map[string]any {
	if shown, ok := shownAs[t]; ok {
		t = shown
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.String:
		s := map[string]any{"type": "string"}
		if values := enums[t]; values != nil {
			s["enum"] = anys(values...)
		}
		return s
	case reflect.Struct:
		properties, required := map[string]any{}, []any{}
		addFields(t, properties, &required)
		return map[string]any{"type": "object", "properties": properties, "required": required}
	}
	return map[string]any{}
}

func addFields(t reflect.Type, properties map[string]any, required *[]any) {
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			addFields(field.Type, properties, required)
		case !field.IsExported() || name == "-" || name == "":
		default:
			properties[name] = schemaOf(field.Type)
			if !strings.Contains(options, "omitempty") {
				*required = append(*required, name)
			}
		}
	}
}

// TestTheSchemaOfReportsIsCurrent generates docs/report.schema.json from the types.
func TestTheSchemaOfReportsIsCurrent(t *testing.T) {
	empty := doctor.NewReport()
	schema := schemaOf(reflect.TypeFor[doctor.Report]())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "The report of kubectl kubeflow doctor -o json"
	properties := schema["properties"].(map[string]any)
	properties["apiVersion"] = map[string]any{"const": empty.APIVersion}
	properties["kind"] = map[string]any{"const": empty.Kind}
	want, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(schemaFile); err != nil || string(got) != string(want) {
		t.Errorf("%s is out of date (%v); make golden rewrites it", schemaFile, err)
	}
}

// TestReportsFollowTheSchema validates the report of every case.
func TestReportsFollowTheSchema(t *testing.T) {
	var schema map[string]any
	content, err := os.ReadFile(schemaFile)
	if err == nil {
		err = json.Unmarshal(content, &schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		view, s := read(t, a)
		content, err := json.Marshal(doctor.Diagnose(t.Context(), view, []*doctor.Check{c}, doctor.Options{Settings: s}))
		if err != nil {
			t.Fatal(err)
		}
		var report any
		if err := json.Unmarshal(content, &report); err != nil {
			t.Fatal(err)
		}
		n++
		for _, violation := range violations(schema, report, "report") {
			t.Errorf("%s: %s", path, violation)
		}
	})
	if len(violations(schema, map[string]any{"kind": "Other"}, "report")) < 3 {
		t.Error("the validation accepts what is no report")
	}
	t.Logf("%d reports", n)
}

// violations returns where a value differs from what a schema made by schemaOf allows. Properties that the schema does not have are violations.
func violations(schema map[string]any, value any, at string) []string {
	if constant, fixed := schema["const"]; fixed && constant != value {
		return []string{fmt.Sprintf("%s is %v, want %v", at, value, constant)}
	}
	if enum, limited := schema["enum"].([]any); limited && !slices.Contains(enum, value) {
		return []string{fmt.Sprintf("%s is %v, not one of %v", at, value, enum)}
	}
	var found []string
	wrong := func(ok bool) {
		if !ok {
			found = append(found, fmt.Sprintf("%s is %T, want %v", at, value, schema["type"]))
		}
	}
	switch schema["type"] {
	case "string":
		_, ok := value.(string)
		wrong(ok)
	case "boolean":
		_, ok := value.(bool)
		wrong(ok)
	case "integer":
		number, ok := value.(float64)
		wrong(ok && number == float64(int64(number)))
	case "array":
		list, ok := value.([]any)
		wrong(ok)
		for i, item := range list {
			found = append(found, violations(schema["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case "object":
		object, ok := value.(map[string]any)
		wrong(ok)
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, there := object[name.(string)]; !there {
				found = append(found, fmt.Sprintf("%s.%s is missing", at, name))
			}
		}
		for name, item := range object {
			property, known := properties[name].(map[string]any)
			if more, open := schema["additionalProperties"].(map[string]any); !known && open {
				property, known = more, true
			}
			if !known {
				found = append(found, fmt.Sprintf("%s.%s is not in the schema", at, name))
				continue
			}
			found = append(found, violations(property, item, at+"."+name)...)
		}
	}
	return found
}
