package release

import (
	"slices"
	"testing"
)

// imagesYAML has images in all the places where releases have them.
const imagesYAML = `apiVersion: apps/v1
kind: Deployment
metadata: {name: d, labels: {version: example.com/not/a/field:1}}
spec:
  template:
    spec:
      initContainers: [{name: i, image: "busybox:1.28"}]
      containers:
      - name: c
        image: gcr.io/ml-pipeline/api-server:1.0.4
        args: [--executor-image, quay.io/argoproj/argoexec:v3.7.3, --lib=mpioperator/kubectl-delivery:latest, "--listen=0.0.0.0:8080", --url=http://minio.kubeflow:9000/x]
        env: [{name: V2_DRIVER_IMAGE, value: "ghcr.io/kubeflow/kfp-driver:2.16.0"}, {name: HOST, value: "mysql.kubeflow.svc:3306"}, {name: EMPTY, value: ""}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: spawner}
data:
  spawner_ui_config.yaml: |
    image:
      value: ghcr.io/kubeflow/notebook-servers/jupyter:v1.10.0
      options:
      - ghcr.io/kubeflow/notebook-servers/rstudio:v1.10.0
  config: "{executorImage: argoproj/argoexec:v2.3.0, endpoint: minio-service.kubeflow:9000}"
  logger: '{"image" : "kserve/agent:v0.16.0", "docs": "https://example.com/docs:8080"}'
---
apiVersion: caching.internal.knative.dev/v1alpha1
kind: Image
metadata: {name: queue}
spec: {image: "gcr.io/knative/queue@sha256:d066ae5b642885827506610ae25728d442ce11447b82df6e9cc4c174bb97ecb3"}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crd}
spec: {image: "example.com/in/a/schema:1"}
`

func TestImagesAreFoundInAllPlaces(t *testing.T) {
	objects, err := documents("images", []byte(imagesYAML))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"argoproj/argoexec:v2.3.0", "busybox:1.28", "gcr.io/knative/queue@sha256:d066ae5b642885827506610ae25728d442ce11447b82df6e9cc4c174bb97ecb3",
		"gcr.io/ml-pipeline/api-server:1.0.4", "ghcr.io/kubeflow/kfp-driver:2.16.0", "ghcr.io/kubeflow/notebook-servers/jupyter:v1.10.0",
		"ghcr.io/kubeflow/notebook-servers/rstudio:v1.10.0", "kserve/agent:v0.16.0", "mpioperator/kubectl-delivery:latest", "quay.io/argoproj/argoexec:v3.7.3",
	}
	if got := Images(objects); !slices.Equal(got, want) {
		t.Errorf("images are %q", got)
	}
}

func TestAnUnavailableImageHasAReplacement(t *testing.T) {
	r, err := Find("1.8.1")
	if err != nil {
		t.Fatal(err)
	}
	for image, want := range map[string]string{
		"gcr.io/ml-pipeline/minio:RELEASE.2019-08-14T20-37-41Z-license-compliance": "minio/minio:RELEASE.2019-08-14T20-37-41Z",
		"gcr.io/ml-pipeline/mysql:8.0.26":                                          "mysql:8.0.26",
		"gcr.io/ml-pipeline/api-server:2.0.5":                                      "",
		"gcr.io/ml-pipeline/argoexec:v3.3.10-license-compliance":                   "quay.io/argoproj/argoexec:v3.3.10",
		"gcr.io/kubebuilder/kube-rbac-proxy:v0.8.0":                                "quay.io/brancz/kube-rbac-proxy:v0.8.0",
		"k8s.gcr.io/pause:3.1":                                                     "registry.k8s.io/pause:3.1",
	} {
		if instead, ok := r.Pullable(image); ok || instead != want {
			t.Errorf("%s: instead %q, pullable %v", image, instead, ok)
		}
	}
	for _, image := range []string{"quay.io/argoproj/argoexec:v3.3.10", "mysql:8.0.26", "gcr.io/ml-pipeline-test/x:1", "gcr.io/knative-releases/x@sha256:1"} {
		if _, ok := r.Pullable(image); !ok {
			t.Errorf("%s is reported as unavailable", image)
		}
	}
}

func TestAllImagesOfReal2603CanBePulled(t *testing.T) {
	got, _ := rendered(t, Input{Release: "26.03"}, offline(t))
	images := Images(got.Objects())
	for _, want := range []string{
		"quay.io/argoproj/argoexec:v3.7.3", "ghcr.io/kubeflow/kfp-launcher:2.16.0", "ghcr.io/kubeflow/katib/suggestion-hyperopt:v0.19.0",
		"ghcr.io/kubeflow/kubeflow/notebook-servers/jupyter-scipy:v1.10.0", "quay.io/jetstack/cert-manager-acmesolver:v1.19.4", "mysql:8.4", "kserve/agent:v0.16.0",
	} {
		if !slices.Contains(images, want) {
			t.Errorf("%s is not among the images", want)
		}
	}
	for _, image := range images {
		if _, ok := got.Release.Pullable(image); !ok {
			t.Errorf("%s is unavailable", image)
		}
	}
}
