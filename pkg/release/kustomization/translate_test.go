package kustomization

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// TestFieldsOfOlderVersionsAreReadAsTheyWereMeant builds each case of testdata/translate. A line of "want" is KIND/NAME FIELD=VALUE.
func TestFieldsOfOlderVersionsAreReadAsTheyWereMeant(t *testing.T) {
	files, err := filepath.Glob("testdata/translate/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			folder, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := &archive.Archive{Files: map[string][]byte{}}
			for _, f := range folder.Files {
				a.Files[f.Name] = f.Data
			}
			tree := &Tree{Sealed: true}
			objects, err := tree.Build(t.Context(), tree.Mount("case", a))
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(strings.TrimSpace(string(a.Files["want"])), "\n") {
				if field, _, _ := strings.Cut(line, "="); !strings.HasSuffix(line, "="+fieldOf(objects, field)) {
					t.Errorf("want %s, got %q", line, fieldOf(objects, field))
				}
			}
		})
	}
}

// fieldOf returns the text at "KIND/NAME FIELD".
func fieldOf(objects []*unstructured.Unstructured, wanted string) string {
	id, field, _ := strings.Cut(wanted, " ")
	for _, object := range objects {
		if object.GetKind()+"/"+object.GetName() == id {
			text, _, err := unstructured.NestedString(object.Object, strings.Split(field, ".")...)
			if err != nil {
				return fmt.Sprint(err)
			}
			return text
		}
	}
	return "no object " + id
}

func TestTheFileOfAnObjectIsFound(t *testing.T) {
	tree := &Tree{Sealed: true}
	folder := tree.Mount("case", archived(map[string]string{
		"app/kustomization.yaml":  "resources: [../base]\nnamePrefix: my-\nconfigMapGenerator: [{name: generated, literals: [a=b]}]\n",
		"base/kustomization.yaml": "resources: [sub/cm.yaml]\n",
		"base/sub/cm.yaml":        configMap("a"),
	}))
	objects, err := tree.Build(t.Context(), folder+"/app")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		want := "base/sub/cm.yaml"
		if object.GetName() != "my-a" {
			want = "app/kustomization.yaml"
		}
		if got := tree.Origin(t.Context(), folder+"/app", object); got != want {
			t.Errorf("%s comes from %q, want %q", object.GetName(), got, want)
		}
	}
	again, err := tree.Build(t.Context(), folder+"/app")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range append(objects, again...) {
		if len(object.GetAnnotations()) > 0 {
			t.Errorf("an ordinary build adds %v", object.GetAnnotations())
		}
	}
}
