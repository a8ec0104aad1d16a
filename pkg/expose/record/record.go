package record

import (
	"encoding/json"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An object of another owner that expose changed has a label, by which --remove finds it, and a record of the changes, by which
// exactly these are reverted, whatever else has changed on the object since.
const (
	Label      = "kubectl-kubeflow/edited-by"
	Annotation = "kubectl-kubeflow/expose"
)

// A Record lists what expose changed on an object.
type Record struct {
	Redirects []string          `json:"redirects,omitempty"` // Gateway: the servers that redirect to HTTPS
	Path      string            `json:"path,omitempty"`      // the path that is exempt from authentication
	URLs      map[string]string `json:"urls,omitempty"`      // the current value, to the original one
}

// Read returns the record of an object, without what expose does not write.
func Read(o *unstructured.Unstructured) Record {
	var r Record
	_ = json.Unmarshal([]byte(o.GetAnnotations()[Annotation]), &r) // without a valid record nothing is recorded
	return r.known()
}

func Write(o *unstructured.Unstructured, r Record) {
	text, err := json.Marshal(r)
	if err != nil { // only strings: it cannot fail
		panic(err)
	}
	o.SetAnnotations(with(o.GetAnnotations(), Annotation, string(text)))
	o.SetLabels(with(o.GetLabels(), Label, "expose"))
}

func with(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// Revert returns the change that reverts what expose changed on an object.
func Revert(o *unstructured.Unstructured) cluster.Change {
	return cluster.Edit(o, func(o *unstructured.Unstructured) {
		r := Read(o)
		switch o.GetKind() {
		case "Gateway":
			removeServer(o, r)
		case "AuthorizationPolicy":
			removePath(o, r.Path)
		case "ConfigMap":
			skipped, found, _ := unstructured.NestedString(o.Object, "data", SkipAuthKey)
			if found && r.Path != "" {
				_ = unstructured.SetNestedField(o.Object, strings.TrimSuffix(skipped, ","+r.Path), "data", SkipAuthKey)
			}
		}
		for now, before := range r.URLs {
			ReplaceURL(o, now, before)
		}
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations", Annotation)
		unstructured.RemoveNestedField(o.Object, "metadata", "labels", Label)
		for _, field := range []string{"annotations", "labels"} {
			if left, _, _ := unstructured.NestedMap(o.Object, "metadata", field); len(left) == 0 {
				unstructured.RemoveNestedField(o.Object, "metadata", field)
			}
		}
	})
}

// Restart returns the change that makes a workload read its settings again: its pods carry the record of the settings,
// so that an interrupted run is noticed. nil when they have it already.
func Restart(workload *unstructured.Unstructured, settings string) *cluster.Change {
	path := []string{"spec", "template", "metadata", "annotations"}
	change := cluster.Edit(workload, func(o *unstructured.Unstructured) {
		annotations, _, _ := unstructured.NestedStringMap(o.Object, path...)
		if settings == "" {
			delete(annotations, Annotation)
		} else {
			annotations = with(annotations, Annotation, settings)
		}
		if len(annotations) == 0 {
			unstructured.RemoveNestedField(o.Object, path...)
			return
		}
		_ = unstructured.SetNestedStringMap(o.Object, annotations, path...)
	})
	change.Verb = cluster.Restart
	if cluster.Diff(change.Before, change.After) == "" {
		return nil
	}
	return &change
}
