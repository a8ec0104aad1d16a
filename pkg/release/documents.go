package release

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	yamldocs "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// documents reads YAML or JSON as Kubernetes objects; a List is replaced by its items.
func documents(name string, content []byte) ([]*unstructured.Unstructured, error) {
	if err := bounded.YAML(content); err != nil {
		return nil, &problem.Error{Usage: true, What: "reading " + name, Next: "Split it into several files, or name another one", Err: err}
	}
	reader := yamldocs.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	var objects []*unstructured.Unstructured
	for number := 1; ; number++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err == nil {
			objects, err = appendObject(objects, document)
		}
		if err != nil {
			return nil, &problem.Error{
				Usage: true,
				What:  fmt.Sprintf("document %d of %s is not a Kubernetes object", number, name),
				Next:  "Correct the file",
				Err:   kfdef.PlainYAML(err),
			}
		}
	}
}

func appendObject(objects []*unstructured.Unstructured, document []byte) ([]*unstructured.Unstructured, error) {
	content, err := yaml.YAMLToJSON(document)
	if err != nil {
		return nil, err
	}
	if text := string(bytes.TrimSpace(content)); text == "null" || text == "{}" {
		return objects, nil // only comments
	}
	if archive.IsPage(document) {
		return nil, fmt.Errorf("it is a web page, perhaps one to sign in on")
	}
	object := &unstructured.Unstructured{}
	if err := shape(content); err != nil {
		return nil, err
	}
	if err := object.UnmarshalJSON(content); err != nil {
		return nil, err
	}
	if !object.IsList() {
		return objects, complete(object, &objects)
	}
	err = object.EachListItem(func(item runtime.Object) error {
		one, ok := item.(*unstructured.Unstructured)
		if !ok {
			return fmt.Errorf("the list holds something else than objects")
		}
		return complete(one, &objects)
	})
	return objects, err
}

// shape rejects a document that is not an object by its outermost type.
func shape(content []byte) error {
	var fields struct {
		APIVersion any   `json:"apiVersion"`
		Kind       any   `json:"kind"`
		Items      []any `json:"items"`
	}
	err := json.Unmarshal(content, &fields)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Errorf("it is a %s", strings.NewReplacer("array", "list", "string", "piece of text").Replace(wrong.Value))
	case err != nil:
		return nil // decoding the object reports it
	}
	for _, field := range []any{fields.APIVersion, fields.Kind} {
		if text, ok := field.(string); !ok || text == "" {
			return fmt.Errorf("apiVersion or kind is missing")
		}
	}
	for i, item := range fields.Items {
		if _, ok := item.(map[string]any); !ok {
			return fmt.Errorf("item %d of its list is no object", i+1)
		}
	}
	return nil
}

// complete adds an object that has a kind and a name. A KfDef or a kustomization needs no name.
func complete(object *unstructured.Unstructured, to *[]*unstructured.Unstructured) error {
	if object.GetAPIVersion() == "" || object.GetKind() == "" {
		return fmt.Errorf("apiVersion or kind is missing")
	}
	group := object.GroupVersionKind().Group
	if object.GetName() == "" && group != kfdef.Group && group != kustomizeGroup {
		return fmt.Errorf("%s has no metadata.name", object.GetKind())
	}
	*to = append(*to, object)
	return nil
}
