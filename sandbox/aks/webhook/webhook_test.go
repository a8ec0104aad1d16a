package webhook

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

var (
	istiod      = Handler{Service: types.NamespacedName{Namespace: "istio-system", Name: "istiod"}, Image: "gcr.io/istio-release/pilot:1.28.0"}
	oldInjector = Handler{Service: types.NamespacedName{Namespace: "istio-system", Name: "istio-sidecar-injector"}, Image: "gcr.io/istio-release/sidecar_injector:release-1.3-latest-daily"}
	katib       = Handler{Service: types.NamespacedName{Namespace: "kubeflow", Name: "katib-controller"}}
)

func post(t *testing.T, h Handler, path, body string) map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader(body)))
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return answer
}

// injected sends a pod through the injector and returns it as it comes out; nil
// when the injector left it alone.
func injected(t *testing.T, h Handler, pod string) *corev1.Pod {
	t.Helper()
	answer := post(t, h, "/inject", `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"7","kind":{"kind":"Pod"},"object":`+pod+`}}`)
	response := answer["response"].(map[string]any)
	if response["allowed"] != true || response["uid"] != "7" || answer["apiVersion"] != "admission.k8s.io/v1beta1" {
		t.Fatalf("%v", answer)
	}
	text, ok := response["patch"].(string)
	if !ok {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	var ops []struct {
		Path  string
		Value json.RawMessage
	}
	if err := json.Unmarshal(raw, &ops); err != nil {
		t.Fatal(err)
	}
	out := &corev1.Pod{}
	for _, op := range ops {
		into := map[string]any{"/metadata": &out.ObjectMeta, "/spec": &out.Spec}[op.Path]
		if err := json.Unmarshal(op.Value, into); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestIstiodAddsANativeSidecarThatTheRestrictedStandardAdmits(t *testing.T) {
	pod := injected(t, istiod, `{"metadata":{"labels":{"app":"ml-pipeline-ui"}},"spec":{"containers":[{"name":"ui"}],"initContainers":[{"name":"own"}]}}`)
	if pod == nil {
		t.Fatal("left alone")
	}
	if len(pod.Spec.Containers) != 1 || len(pod.Spec.InitContainers) != 3 {
		t.Fatalf("%d containers, %d init containers", len(pod.Spec.Containers), len(pod.Spec.InitContainers))
	}
	proxy := pod.Spec.InitContainers[1]
	if proxy.Name != "istio-proxy" || proxy.RestartPolicy == nil || *proxy.RestartPolicy != "Always" || proxy.Image != "gcr.io/istio-release/proxyv2:1.28.0" {
		t.Errorf("%+v", proxy)
	}
	if s := proxy.SecurityContext; *s.AllowPrivilegeEscalation || !*s.RunAsNonRoot || s.Capabilities.Drop[0] != "ALL" {
		t.Errorf("%+v", s)
	}
	if pod.Labels["app"] != "ml-pipeline-ui" || pod.Annotations["sidecar.istio.io/status"] == "" {
		t.Errorf("%v %v", pod.Labels, pod.Annotations)
	}
}

func TestTheInjectorOfV12AddsAContainer(t *testing.T) {
	pod := injected(t, oldInjector, `{"metadata":{},"spec":{"containers":[{"name":"ui"}]}}`)
	if pod == nil || len(pod.Spec.Containers) != 2 || pod.Spec.Containers[1].Name != "istio-proxy" {
		t.Fatalf("%+v", pod)
	}
	if got := pod.Spec.Containers[1].Image; got != "gcr.io/istio-release/proxyv2:release-1.3-latest-daily" {
		t.Errorf("image %s", got)
	}
}

func TestPodsThatOptOutAreLeftAlone(t *testing.T) {
	for name, pod := range map[string]string{
		"by annotation":         `{"metadata":{"annotations":{"sidecar.istio.io/inject":"false"}},"spec":{"containers":[{"name":"a"}]}}`,
		"by label":              `{"metadata":{"labels":{"sidecar.istio.io/inject":"false"}},"spec":{"containers":[{"name":"a"}]}}`,
		"on the host's network": `{"metadata":{},"spec":{"hostNetwork":true,"containers":[{"name":"a"}]}}`,
		"with a proxy already":  `{"metadata":{},"spec":{"containers":[{"name":"a"},{"name":"istio-proxy"}]}}`,
	} {
		if injected(t, istiod, pod) != nil {
			t.Errorf("%s: changed", name)
		}
	}
}

func TestOtherWebhooksAllowAndChangeNothing(t *testing.T) {
	for _, version := range []string{"v1", "v1beta1"} {
		answer := post(t, katib, "/mutate-pod", `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/`+version+`","request":{"uid":"8","kind":{"kind":"Pod"},"object":{"spec":{}}}}`)
		response := answer["response"].(map[string]any)
		if answer["apiVersion"] != "admission.k8s.io/"+version || response["allowed"] != true || response["patch"] != nil {
			t.Errorf("%v", answer)
		}
	}
}

func TestConversionWritesTheVersionThatIsAskedFor(t *testing.T) {
	answer := post(t, katib, "/convert", `{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"9","desiredAPIVersion":"g/v2","objects":[{"apiVersion":"g/v1","spec":{"a":1}}]}}`)
	text, _ := json.Marshal(answer["response"])
	if want := `{"convertedObjects":[{"apiVersion":"g/v2","spec":{"a":1}}],"result":{"status":"Success"},"uid":"9"}`; string(text) != want {
		t.Errorf("%s\nwant %s", text, want)
	}
}

func TestAnAggregatedAPIIsDiscovered(t *testing.T) {
	w := httptest.NewRecorder()
	katib.ServeHTTP(w, httptest.NewRequest("GET", "/apis/webhook.cert-manager.io/v1beta1", nil))
	if body := w.Body.String(); !strings.Contains(body, `"groupVersion":"webhook.cert-manager.io/v1beta1"`) || !strings.Contains(body, `"mutations"`) {
		t.Errorf("%s", body)
	}
}

func TestTheKindOfSidecarDependsOnTheVersions(t *testing.T) {
	service := types.NamespacedName{Namespace: "istio-system", Name: "istiod"}
	for name, c := range map[string]struct {
		handler Handler
		native  bool
	}{
		"1.9":  {Handler{Image: "docker.io/istio/pilot:1.9.6"}, false},
		"1.17": {Handler{Image: "docker.io/istio/pilot:1.17.5"}, false},
		"1.26": {Handler{Image: "docker.io/istio/pilot:1.26.1"}, false},
		"1.26, where its environment asks for it": {Handler{Image: "docker.io/istio/pilot:1.26.1", NativeSidecars: true}, true},
		"1.27":                    {Handler{Image: "docker.io/istio/pilot:1.27.0"}, true},
		"1.28 on Kubernetes 1.21": {Handler{Image: "docker.io/istio/pilot:1.28.0", KubernetesMinor: 21}, false},
		"1.28 on Kubernetes 1.35": {Handler{Image: "docker.io/istio/pilot:1.28.0-distroless", KubernetesMinor: 35}, true},
	} {
		c.handler.Service = service
		pod := injected(t, c.handler, `{"metadata":{},"spec":{"containers":[{"name":"ui"}]}}`)
		if native := len(pod.Spec.Containers) == 1; native != c.native {
			t.Errorf("%s: native is %v", name, native)
		}
	}
}

func TestPodDefaultsAreAddedToThePodsTheySelect(t *testing.T) {
	h := Handler{Service: types.NamespacedName{Namespace: "kubeflow", Name: "admission-webhook-service"}, PodDefaults: func(namespace string) []unstructured.Unstructured {
		if namespace != "team" {
			return nil
		}
		of := func(name, env string, volume any, selects map[string]any) unstructured.Unstructured {
			return unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": name, "resourceVersion": "9"}, "spec": map[string]any{
				"selector": map[string]any{"matchLabels": selects}, "env": []any{map[string]any{"name": "WHO", "value": env}},
				"volumes": []any{map[string]any{"name": "token", "secret": map[string]any{"secretName": volume}}}, "volumeMounts": []any{map[string]any{"name": "token", "mountPath": "/token"}},
			}}}
		}
		return []unstructured.Unstructured{of("access", "one", "a", map[string]any{"access": "true"}), of("other", "two", "b", map[string]any{"other": "true"})}
	}}
	ask := func(namespace, labels string) map[string]any {
		return post(t, h, podDefaultsPath, `{"kind":"AdmissionReview","request":{"uid":"7","kind":{"kind":"Pod"},"namespace":"`+namespace+`","object":{"metadata":{"labels":{`+labels+`}},"spec":{"containers":[{"name":"main"}]}}}}`)["response"].(map[string]any)
	}
	patch, _ := base64.StdEncoding.DecodeString(ask("team", `"access":"true"`)["patch"].(string))
	for _, want := range []string{`{"name":"WHO","value":"one"}`, `"secretName":"a"`, `"mountPath":"/token"`, `"poddefault.admission.kubeflow.org/poddefault-access":"9"`} {
		if !strings.Contains(string(patch), want) {
			t.Errorf("%s is not in %s", want, patch)
		}
	}
	if ask("team", `"else":"true"`)["patch"] != nil || ask("other", `"access":"true"`)["patch"] != nil {
		t.Error("a pod that no PodDefault selects was changed")
	}
	denied := ask("team", `"access":"true","other":"true"`)
	if why, _ := json.Marshal(denied["status"]); denied["allowed"] != false || !strings.Contains(string(why), "conflict occurred while applying poddefaults: access,other") {
		t.Errorf("PodDefaults that contradict each other: %v", denied)
	}
}
