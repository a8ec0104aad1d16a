package images

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestARuleReplacesMatchingImages(t *testing.T) {
	for _, c := range []struct{ from, to, text, want string }{
		{"gcr.io/ml-pipeline", "my.io/kfp", "gcr.io/ml-pipeline/api-server:1.0.4", "my.io/kfp/api-server:1.0.4"},
		{"gcr.io/ml-pipeline/", "my.io/kfp/", "gcr.io/ml-pipeline/api-server:1.0.4", "my.io/kfp/api-server:1.0.4"},
		{"gcr.io/ml-pipeline", "my.io/kfp", "gcr.io/ml-pipeline-test/api-server:1", "gcr.io/ml-pipeline-test/api-server:1"},
		{"gcr.io/ml-pipeline", "my.io/kfp", "--image=gcr.io/ml-pipeline/a:1,gcr.io/ml-pipeline/b@sha256:0f", "--image=my.io/kfp/a:1,my.io/kfp/b@sha256:0f"},
		{"gcr.io/ml-pipeline", "my.io/kfp", "https://gcr.io/ml-pipeline/a", "https://gcr.io/ml-pipeline/a"},
		{"gcr.io/ml-pipeline", "my.io/kfp", "eu.gcr.io/ml-pipeline/a", "eu.gcr.io/ml-pipeline/a"},
		{"gcr.io/ml-pipeline/minio", "minio/minio:RELEASE.1", "gcr.io/ml-pipeline/minio:RELEASE.0-license-compliance", "minio/minio:RELEASE.1"},
		{"gcr.io/ml-pipeline/mysql", "mysql", "gcr.io/ml-pipeline/mysql:5.6", "mysql:5.6"},
		{"mpioperator/mpi-operator:latest", "mpioperator/mpi-operator:v0.2.3", "mpioperator/mpi-operator:latest", "mpioperator/mpi-operator:v0.2.3"},
		{"mpioperator/mpi-operator:latest", "mpioperator/mpi-operator:v0.2.3", "mpioperator/mpi-operator:latest-2", "mpioperator/mpi-operator:latest-2"},
		{"docker.io", "my.io/hub", "mysql:8.0", "my.io/hub/library/mysql:8.0"},
		{"docker.io", "my.io/hub", "mpioperator/mpi-operator", "my.io/hub/mpioperator/mpi-operator"},
		{"docker.io/library", "my.io", "busybox", "my.io/busybox"},
		{"gcr.io/istio-release", "my.io/istio", "gcr.io/istio-release", "my.io/istio"},
		{"my.io:5000/a", "b.io", "my.io:5000/a/b:1", "b.io/b:1"},
	} {
		if got := each(c.text, true, []Rule{{c.from, c.to}}, func(s string, r Rule) string { return r.replace(s) }); got != c.want {
			t.Errorf("%s=%s makes %q of %q, want %q", c.from, c.to, got, c.text, c.want)
		}
	}
}

func TestImagesAreFoundWhereverTheyOccur(t *testing.T) {
	deployment := read(t, `
kind: Deployment
metadata: {name: a, annotations: {note: "gcr.io/ml-pipeline/note:1"}}
spec: {template: {spec: {
  initContainers: [{image: "gcr.io/ml-pipeline/first:1"}],
  containers: [{image: "gcr.io/ml-pipeline/main:1", args: [--executor-image, "gcr.io/ml-pipeline/executor:1"], env: [{name: V2_DRIVER_IMAGE, value: "gcr.io/ml-pipeline/driver:1"}]}]}}}`)
	rules := []Rule{{From: "gcr.io/ml-pipeline", To: "my.io"}}
	want := []string{"gcr.io/ml-pipeline/driver:1", "gcr.io/ml-pipeline/executor:1", "gcr.io/ml-pipeline/first:1", "gcr.io/ml-pipeline/main:1"}
	if got := Find(deployment, rules); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	edited, changed := Rewrite(deployment, rules)
	if !changed || len(Find(edited, rules)) != 0 || len(Find(deployment, rules)) != 4 {
		t.Errorf("the rewritten object is %v; changed: %v", edited.Object, changed)
	}
	config := read(t, "kind: ConfigMap\ndata:\n  config: |\n    # images\n    image: gcr.io/ml-pipeline/a:1\n    options: ['gcr.io/ml-pipeline/b:2']\n")
	edited, _ = Rewrite(config, rules)
	if got, _, _ := unstructured.NestedString(edited.Object, "data", "config"); got != "# images\nimage: my.io/a:1\noptions: ['my.io/b:2']\n" {
		t.Errorf("the text became %q", got)
	}
	if found := Find(read(t, `{kind: CustomResourceDefinition, spec: {description: "gcr.io/ml-pipeline/a:1"}}`), rules); found != nil {
		t.Errorf("a description names images: %v", found)
	}
}

func TestAnImageRuleIsParsedFromFROMAndTO(t *testing.T) {
	for _, text := range []string{"", "a", "=b", "a=", "a b=c", "https://a=b", "a=b=c"} {
		if r, err := Parse(text); err == nil {
			t.Errorf("%q was read as %+v", text, r)
		}
	}
	if r, err := Parse("gcr.io/ml-pipeline/=my.io:5000/kfp/"); err != nil || r != (Rule{"gcr.io/ml-pipeline", "my.io:5000/kfp"}) {
		t.Errorf("read %+v, %v", r, err)
	}
}

func TestAPlainWordIsAnImageOnlyInImageFields(t *testing.T) {
	deployment := read(t, `
kind: Deployment
spec: {selector: {matchLabels: {app: mysql}}, template: {spec: {containers: [{image: "mysql:8.0", args: ["--db=mysql:3306", "mysql"], env: [{name: HOST, value: mysql}]}]}}}`)
	got, changed := Rewrite(deployment, []Rule{{"mysql", "my.io/mysql"}})
	want := read(t, `
kind: Deployment
spec: {selector: {matchLabels: {app: mysql}}, template: {spec: {containers: [{image: "my.io/mysql:8.0", args: ["--db=mysql:3306", "mysql"], env: [{name: HOST, value: mysql}]}]}}}`)
	if diff := cmp.Diff(want.Object, got.Object); !changed || diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
