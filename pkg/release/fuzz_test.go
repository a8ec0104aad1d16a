package release

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// FuzzParseKfDef parses any text as a KfDef: the parser rejects it with a one-line error and a next step,
// or the result is usable and stays inside its repositories.
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
			t.Fatalf("%+v has no applications or repositories", def)
		}
		for _, app := range def.Spec.Applications {
			for _, name := range append([]string{app.KustomizeConfig.RepoRef.Path}, app.KustomizeConfig.Overlays...) {
				if clean := path.Clean(name); path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
					t.Fatalf("%q leads outside", name)
				}
			}
		}
	})
}

// FuzzDocuments parses any text as rendered YAML: each resulting object has a kind.
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
				t.Fatalf("%v has no apiVersion or kind", object.Object)
			}
		}
	})
}

func refusedWell(t *testing.T, err error) {
	t.Helper()
	var input *problem.Error
	if !errors.As(err, &input) || input.Next == "" || strings.Contains(err.Error(), "\n") {
		t.Fatalf("want one sentence about the error and one about the next step: %v", err)
	}
}
