package bundle

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A redactor keeps the fields of a table and replaces the values that are not known to be harmless. The same value is replaced
// by the same word everywhere, so that equal values stay equal; the words are numbered, so they tell nothing about the values.
// Values that every installation ships with are public and kept, because checks look for them.
type redactor struct {
	table  redact.Table
	emails bool
	public func(string) bool
	names  map[string]bool // of the objects in the bundle

	words map[string]string // the replacement of each value
	count map[string]int    // number of different values of each sort
}

func newRedactor(o Options, objects map[cluster.Ref]*unstructured.Unstructured) *redactor {
	r := &redactor{table: o.Keep, emails: o.Emails, public: o.Shipped, names: map[string]bool{}, words: map[string]string{}, count: map[string]int{}}
	for ref, object := range objects {
		for _, name := range []string{ref.Name, ref.Namespace, ref.Kind} {
			if name != "" && redact.Name(strings.ToLower(name)) {
				r.names[name] = true
			}
		}
		r.addImages(object.Object)
	}
	return r
}

// addImages adds the images of a pod to the names that messages may have.
func (r *redactor) addImages(v any) {
	switch v := v.(type) {
	case map[string]any:
		if image, ok := v["image"].(string); ok && redact.Image(image) {
			r.names[image] = true
		}
		for _, field := range []string{"spec", "template", "status", "containers", "initContainers", "containerStatuses", "initContainerStatuses"} {
			r.addImages(v[field])
		}
	case []any:
		for _, item := range v {
			r.addImages(item)
		}
	}
}

// word returns the replacement of a value: "redacted-3".
func (r *redactor) word(sort, value string) string {
	if w, known := r.words[value]; known {
		return w
	}
	r.count[sort]++
	w := fmt.Sprintf("redacted-%d", len(r.words)+1)
	if sort == "email" {
		w += "@redacted.invalid"
	}
	r.words[value] = w
	return w
}

func (r *redactor) rules() redact.Rules {
	return redact.Rules{
		Replace: func(value string) string { return r.word("value", value) },
		Person: func(value string) string {
			if r.emails {
				return value
			}
			return r.word("email", value)
		},
		Public: r.public,
		Names:  func(s string) bool { return r.names[s] },
	}
}

// object returns what is kept of an object.
func (r *redactor) object(o *unstructured.Unstructured) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: r.table.Object(o.Object, o.GroupVersionKind().GroupKind(), r.rules())}
}

// text returns a message or a log in which only known words are readable.
func (r *redactor) text(s string) string {
	return redact.Text(s, r.rules().Names, func(value string) string { return r.word("text", value) })
}

// answer returns a response without what nobody needs.
func (r *redactor) answer(a answer) answer {
	if a.Text != "" {
		a.Text = r.document(a.Text)
	}
	if a.Failed == nil {
		return a
	}
	failed := *a.Failed
	failed.Message = r.text(failed.Message)
	if failed.Status != nil {
		status := failed.Status.DeepCopy()
		status.Message = r.text(status.Message)
		if status.Details != nil {
			for i := range status.Details.Causes {
				status.Details.Causes[i].Message = r.text(status.Details.Causes[i].Message)
			}
		}
		failed.Status = status
	}
	a.Failed = &failed
	return a
}

// document keeps the harmless fields of a JSON document that the API server returned.
func (r *redactor) document(text string) string {
	var content map[string]any
	if json.Unmarshal([]byte(text), &content) != nil {
		return r.text(text)
	}
	kept := redact.Table{redact.Other: {"{issuer,jwks_uri} address"}}.Object(content, redact.Other, r.rules())
	out, err := json.Marshal(kept)
	if err != nil {
		return ""
	}
	return string(out)
}
