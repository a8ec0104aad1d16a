package release

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// offline returns options to render from the mirror, without network. Tests share a cache of archives.
func offline(t *testing.T) RenderOptions {
	t.Helper()
	return RenderOptions{Mirror: kubetest.Mirror(t), SkipVerify: true, CacheDir: sharedCache, HTTP: &http.Client{Transport: refuse{}}}
}

var sharedCache string

func TestMain(m *testing.M) {
	var err error
	if sharedCache, err = os.MkdirTemp("", "kubectl-kubeflow-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(sharedCache)
	os.Exit(code)
}

var apps120 = "namespaces=2 application=7 istio-stack=117 cluster-local-gateway=10 istio=11 cert-manager-crds=6 " +
	"cert-manager-kube-system-resources=6 cert-manager=33 add-anonymous-user-filter=1 metacontroller=6 bootstrap=6 " +
	"spark-operator=10 kubeflow-apps=266 knative=57 kfserving=21 spartakus=6"

func counts(r *Rendered) string {
	var out []string
	for _, c := range r.Components {
		out = append(out, fmt.Sprintf("%s=%d", c.Name, len(c.Objects)))
	}
	return strings.Join(out, " ")
}

func TestKubeflow120RendersToItsSixteenApplications(t *testing.T) {
	o := offline(t)
	const file = "https://raw.githubusercontent.com/kubeflow/manifests/%s/kfdef/kfctl_k8s_istio.v1.2.0.yaml"
	for name, in := range map[string]Input{
		"by name":                            {Release: "1.2.0"},
		"by its KfDef's address":             {File: fmt.Sprintf(file, "v1.2.0")},
		"by its KfDef's address on a branch": {File: fmt.Sprintf(file, "v1.2-branch")},
	} {
		got, _ := rendered(t, in, o)
		if counts(got) != apps120 || len(got.Objects()) != 565 {
			t.Errorf("%s: %d objects, %s", name, len(got.Objects()), counts(got))
		}
		if got.Release == nil || got.Release.Version != "1.2.0" || got.Namespace != "kubeflow" {
			t.Errorf("%s: release %v, namespace %q", name, got.Release, got.Namespace)
		}
	}
}

func TestTheComponentsListedFor120AreItsApplications(t *testing.T) {
	got, _ := rendered(t, Input{Release: "1.2.0"}, offline(t))
	for i, component := range got.Components {
		if listed := got.Release.Components[i].Name; listed != component.Name {
			t.Errorf("component %d is listed as %s and is %s", i+1, listed, component.Name)
		}
	}
}

func TestEveryObjectOf120HasItsNamespaceAsWithKfctl(t *testing.T) {
	got, names := rendered(t, Input{Release: "1.2.0"}, offline(t))
	for _, object := range got.Objects() {
		kind := object.GroupVersionKind().GroupKind()
		global := kube.ClusterScoped(kind) || clusterKinds(got.Components)[kind]
		if global == (object.GetNamespace() != "") {
			t.Errorf("%s %s has the namespace %q", object.GetKind(), object.GetName(), object.GetNamespace())
		}
	}
	for _, want := range []string{"ConfigMap/kubeflow/workflow-controller-configmap", "DestinationRule/kubeflow/ml-pipeline-ui", "Deployment/kubeflow/mpi-operator", "ClusterIssuer//kubeflow-self-signing-issuer"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, object := range got.Objects() {
		labels := object.GetLabels()
		if object.GetKind() == "Namespace" && object.GetName() == "kubeflow" &&
			(labels["control-plane"] != "kubeflow" || labels["katib-metricscollector-injection"] != "enabled" || labels["istio-injection"] != "enabled") {
			t.Errorf("namespace kubeflow has the labels %v", labels)
		}
	}
}

func yamlText(t *testing.T, o *unstructured.Unstructured) string {
	t.Helper()
	content, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEveryRemoteReferenceOf2603IsPinned(t *testing.T) {
	got, _ := rendered(t, Input{Release: "26.03"}, offline(t))
	var jobset bool
	for _, pin := range got.Pins {
		if source, _, ok := known(pin.URL); !ok || source.Hash == "" {
			t.Errorf("%s has no pin", pin.URL)
		}
		jobset = jobset || strings.Contains(pin.URL, "jobset") && pin.Verified
	}
	if len(got.Pins) != 3 || !jobset {
		t.Errorf("pins are %+v; the JobSet file, which is whole, must be verified", got.Pins)
	}
}

func TestOtherKfDefsOfTheArchiveRenderFromIt(t *testing.T) {
	for file, c := range map[string]struct {
		gone  []string // from 1.2.0's tree, for older KfDefs
		parts int
		holds string
	}{
		"kfctl_k8s_istio.v1.0.2.yaml":          {[]string{"kfserving-gateway", "tensorboard"}, 42, "Deployment/istio-system/istio-ingressgateway"},
		"kfctl_istio_dex.v1.0.2.yaml":          {[]string{"tensorboard"}, 41, "Deployment/auth/dex"},
		"kfctl_istio_dex.v1.2.0.yaml":          {nil, 16, "StatefulSet/istio-system/authservice"},
		"kfctl_ibm_dex_multi_user.v1.1.0.yaml": {nil, 17, "Deployment/auth/dex"},
		"kfctl_openshift.v1.2.0.yaml":          {nil, 18, "Deployment/kubeflow/centraldashboard"},
	} {
		t.Run(file, func(t *testing.T) {
			o := offline(t)
			content, _ := fileOf120(t, o, "kfdef/"+file)
			def, err := kfdef.Parse(file, content)
			if err != nil {
				t.Fatal(err)
			}
			moved := strings.ReplaceAll(string(content), def.Spec.Repos[0].URI, "https://github.com/kubeflow/manifests/archive/v1.2.0.tar.gz")
			o.Skip = c.gone
			got, names := rendered(t, Input{File: "-", Stdin: strings.NewReader(moved)}, o)
			if len(got.Components) != c.parts || !slices.Contains(names, c.holds) {
				t.Errorf("%d components, %d objects, of which none is %s", len(got.Components), len(names), c.holds)
			}
		})
	}
}

func fileOf120(t *testing.T, o RenderOptions, name string) ([]byte, bool) {
	t.Helper()
	release, err := Find("1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := newRendering(t.Context(), o).fetch(t.Context(), release.Source.URL)
	if err != nil {
		t.Fatal(err)
	}
	content, ok := a.Files[name]
	return content, ok
}

func TestTheMPIOperatorBuildsWithItsVersionPinned(t *testing.T) {
	got, names := rendered(t, Input{Release: "mpi-operator-0.8.0"}, offline(t))
	if len(got.Components) != 1 || !slices.Contains(names, "CustomResourceDefinition//mpijobs.kubeflow.org") {
		t.Errorf("objects are %v", names)
	}
	for _, object := range got.Objects() {
		if object.GetKind() == "Deployment" && (object.GetNamespace() != "kubeflow" || !strings.Contains(yamlText(t, object), `"mpioperator/mpi-operator:0.8.0"`)) {
			t.Errorf("the Deployment is %s", yamlText(t, object))
		}
	}
}
