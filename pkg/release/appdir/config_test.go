package appdir

import (
	"errors"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

const goodConfig = "apiVersion: kubeflow.install/v1alpha1\nkind: ApplicationDirectory\nbuild: {release: \"26.03\"}\ncomponents: [istio, katib]\n"

func TestAnInvalidConfigurationIsExplained(t *testing.T) {
	if _, err := ParseConfig("kubeflow.yaml", []byte(goodConfig)); err != nil {
		t.Fatal(err)
	}
	for change, want := range map[string]string{
		"kind: ApplicationDirectory=>kind: KfDefs": `it is "KfDefs"`,
		"v1alpha1=>v2":                                                `of "kubeflow.install/v2"`,
		"[istio, katib]=>[]":                                          "it lists no components",
		"[istio, katib]=>[istio, istio]":                              "component istio is listed twice",
		"[istio, katib]=>[../istio]":                                  `"../istio" is no component's name`,
		"{release: \"26.03\"}=>{}":                                    "needs a release or a filename",
		"{release: \"26.03\"}=>{release: a, filename: b}":             "needs a release or a filename",
		"components=>component":                                       "unknown field",
		"[istio, katib]=>[istio]\nname: My_Kubeflow":                  `its name "My_Kubeflow"`,
		"[istio, katib]=>[istio]\nadapt: gke":                         `its adapt is "gke"`,
		"[istio, katib]=>[istio]\nimages: [{name: a}]":                "each of its images",
		"[istio, katib]=>[istio]\nimages: [{newName: a, newTag: x1}]": "each of its images",
		"[istio, katib]=>[istio":                                      "cannot be read",
	} {
		from, to, _ := strings.Cut(change, "=>")
		_, err := ParseConfig("kubeflow.yaml", []byte(strings.Replace(goodConfig, from, to, 1)))
		var input *problem.Error
		if !errors.As(err, &input) || !strings.Contains(err.Error(), want) || input.Next == "" {
			t.Errorf("%s: %v, want %q", change, err, want)
		}
	}
}

func TestANameFollowsTheRulesOfTheGuide(t *testing.T) {
	for name, want := range map[string]bool{
		"kubeflow": true, "my-kubeflow-2": true, "a": true, strings.Repeat("a", 25): true,
		"": false, "Kubeflow": false, "-a": false, "a-": false, "a/b": false, "..": false, "a.b": false, strings.Repeat("a", 26): false,
	} {
		if ValidName(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(goodConfig))
	f.Add([]byte("images: [{name: a, digest: b}]\n" + goodConfig))
	f.Fuzz(func(t *testing.T, content []byte) {
		config, err := ParseConfig("kubeflow.yaml", content)
		if err != nil {
			return
		}
		written, err := config.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseConfig("kubeflow.yaml", written)
		if err != nil || !same(again, config) {
			t.Errorf("%q reads as %+v, and back as %+v, %v", content, config, again, err)
		}
	})
}
