package release

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// FuzzParseKfDef gives any text to the reader of KfDefs: it refuses it in one line with something to
// do, or what comes out can be worked with and stays inside its repositories.
func FuzzParseKfDef(f *testing.F) {
	good := kfdefOf("v1", application("app", ", overlays: [istio], parameters: [{name: a, value: b}]"))
	f.Add(good)
	f.Add(kfdefOf("v1beta1", application("kubeflow-apps", "")))
	f.Add(strings.Replace(good, "path: app", "path: ../../etc", 1))
	f.Add(strings.Replace(good, "path: app", "path: [1]", 1))
	f.Add(strings.Replace(good, "/v1\n", "/v1alpha1\n", 1))
	f.Add("a: &a [*a]")
	f.Add("{}")
	f.Fuzz(func(t *testing.T, content string) {
		def, err := kfdef.Parse("kfdef.yaml", []byte(content))
		if err != nil {
			refusedWell(t, err)
			return
		}
		if def.Metadata.Namespace == "" || len(def.Spec.Applications) == 0 {
			t.Fatalf("there is nothing to work with in %+v", def)
		}
		for _, app := range def.Spec.Applications {
			for _, name := range append([]string{app.KustomizeConfig.RepoRef.Path}, app.KustomizeConfig.Overlays...) {
				if clean := path.Clean(name); path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
					t.Fatalf("%q leads out", name)
				}
			}
		}
	})
}

// FuzzDocuments gives any text to the reader of rendered YAML: each object that comes out says what it is.
func FuzzDocuments(f *testing.F) {
	f.Add(cm + "x}\n---\n" + cm + "y}\n")
	f.Add("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: x}}]\n")
	f.Add("apiVersion: v1\nkind: List\nitems: [1]\n")
	f.Add(`{"apiVersion":"v1","kind":"X","metadata":{"name":"x"}}`)
	f.Add("---\n---\n# nothing\n")
	f.Add("apiVersion: v1\nkind: {a: b}\n")
	f.Add("a: &a [*a, *a]\nb: *a")
	f.Fuzz(func(t *testing.T, content string) {
		objects, err := documents("all.yaml", []byte(content))
		if err != nil {
			refusedWell(t, err)
			return
		}
		for _, object := range objects {
			if object.GetKind() == "" || object.GetAPIVersion() == "" {
				t.Fatalf("%v says not what it is", object.Object)
			}
		}
	})
}

func refusedWell(t *testing.T, err error) {
	t.Helper()
	var input *problem.Error
	if !errors.As(err, &input) || input.Next == "" || strings.Contains(err.Error(), "\n") {
		t.Fatalf("not one sentence of what happened and one of what to do: %v", err)
	}
}
