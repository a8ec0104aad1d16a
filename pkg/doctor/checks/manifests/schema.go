package manifests

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// A fieldSchema is the part of an OpenAPI schema that the API server enforces when it decodes an object. The validator of kube-openapi is
// not used: it follows no references between schemas, and knows neither unknown fields nor the keys of lists.
type fieldSchema struct {
	Ref        string                  `json:"$ref"`
	AllOf      []*fieldSchema          `json:"allOf"`
	Type       string                  `json:"type"`
	Format     string                  `json:"format"`
	Properties map[string]*fieldSchema `json:"properties"`
	Values     *values                 `json:"additionalProperties"`
	Items      *fieldSchema            `json:"items"`
	Required   []string                `json:"required"`
	Enum       []any                   `json:"enum"`
	Minimum    *float64                `json:"minimum"`
	Maximum    *float64                `json:"maximum"`
	MinLength  *int                    `json:"minLength"`
	MaxLength  *int                    `json:"maxLength"`
	MinItems   *int                    `json:"minItems"`
	MaxItems   *int                    `json:"maxItems"`
	Pattern    string                  `json:"pattern"`

	Nullable    bool                      `json:"nullable"`
	Preserve    bool                      `json:"x-kubernetes-preserve-unknown-fields"`
	IntOrString bool                      `json:"x-kubernetes-int-or-string"`
	Embedded    bool                      `json:"x-kubernetes-embedded-resource"`
	ListType    string                    `json:"x-kubernetes-list-type"`
	ListKeys    []string                  `json:"x-kubernetes-list-map-keys"`
	Kinds       []schema.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
}

// values is the schema of the values of a map, or a Boolean.
type values struct{ *fieldSchema }

func (v *values) UnmarshalJSON(content []byte) error {
	if bytes.Equal(content, []byte("true")) || bytes.Equal(content, []byte("false")) {
		v.fieldSchema = &fieldSchema{Preserve: true}
		return nil
	}
	v.fieldSchema = &fieldSchema{}
	return json.Unmarshal(content, v.fieldSchema)
}

//go:embed schemas.json.gz
var compressed []byte

const refPrefix = "#/components/schemas/"

// builtIn returns the schemas of Kubernetes' own types by name, and of its kinds.
var builtIn = sync.OnceValues(func() (map[string]*fieldSchema, map[schema.GroupVersionKind]*fieldSchema) {
	named, kinds := map[string]*fieldSchema{}, map[schema.GroupVersionKind]*fieldSchema{}
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err == nil {
		err = json.NewDecoder(reader).Decode(&named)
	}
	if err != nil {
		panic(err) // it is compiled in, and tested
	}
	for _, s := range named {
		if len(s.Kinds) == 1 { // types that many kinds share have many
			kinds[s.Kinds[0]] = s
		}
	}
	return named, kinds
})

// older maps API versions that Kubernetes removed to those with the same fields.
var older = map[string]string{
	"rbac.authorization.k8s.io/v1beta1": "v1", "apiregistration.k8s.io/v1beta1": "v1", "policy/v1beta1": "v1", "batch/v1beta1": "v1",
}

// schemas finds the schema of objects.
type schemas struct {
	definitions map[schema.GroupKind]*unstructured.Unstructured
	custom      map[schema.GroupVersionKind]*fieldSchema
}

func newSchemas(objects []*unstructured.Unstructured) *schemas {
	s := &schemas{definitions: map[schema.GroupKind]*unstructured.Unstructured{}, custom: map[schema.GroupVersionKind]*fieldSchema{}}
	for _, o := range objects {
		if o.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind {
			s.definitions[kube.DefinedKind(o)] = o
		}
	}
	return s
}

// of returns the schema of a kind; nil where none is known.
func (s *schemas) of(kind schema.GroupVersionKind) *fieldSchema {
	_, kinds := builtIn()
	if same := older[kind.GroupVersion().String()]; same != "" {
		kind.Version = same
	}
	if found := kinds[kind]; found != nil {
		return found
	}
	if known, ok := s.custom[kind]; ok {
		return known
	}
	found := defined(s.definitions[kind.GroupKind()], kind.Version)
	s.custom[kind] = found
	return found
}

// defined returns the schema that a CustomResourceDefinition has for a version.
func defined(definition *unstructured.Unstructured, version string) *fieldSchema {
	if definition == nil {
		return nil
	}
	content := kube.Map(definition.Object, "spec", "validation", "openAPIV3Schema")
	for _, v := range kube.Items(definition.Object, "spec", "versions") {
		if below := kube.Map(v, "schema", "openAPIV3Schema"); kube.Text(v, "name") == version && len(below) > 0 {
			content = below
		}
	}
	if len(content) == 0 {
		return nil
	}
	encoded, err := json.Marshal(content)
	found := &fieldSchema{}
	if err != nil || json.Unmarshal(encoded, found) != nil {
		return nil
	}
	if strings.HasSuffix(definition.GetAPIVersion(), "/v1beta1") && kube.Map(definition.Object, "spec")["preserveUnknownFields"] != false {
		found.Preserve = true
	}
	return found
}

// resolved follows references, and returns the name of the type that was referred to last.
func (f *fieldSchema) resolved() (*fieldSchema, string) {
	named, _ := builtIn()
	name := ""
	for f != nil {
		switch {
		case f.Ref != "":
			name = strings.TrimPrefix(f.Ref, refPrefix)
			f = named[name]
		case len(f.AllOf) == 1 && f.AllOf[0].Ref != "" && f.Type == "":
			f = f.AllOf[0]
		default:
			return f, name
		}
	}
	return nil, name
}
