package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/yaml"
)

const (
	kubeflowGateway = `{apiVersion: networking.istio.io/v1alpha3, kind: Gateway, metadata: {name: kubeflow-gateway, namespace: kubeflow}}`
	dashboard       = `{apiVersion: networking.istio.io/v1alpha3, kind: VirtualService, metadata: {name: centraldashboard, namespace: kubeflow}, spec: {gateways: [kubeflow-gateway], http: [{match: [{uri: {prefix: /}}], route: [{destination: {host: centraldashboard.kubeflow.svc.cluster.local}}]}]}}`
	pipelines       = `{apiVersion: networking.istio.io/v1alpha3, kind: VirtualService, metadata: {name: ml-pipeline-ui, namespace: kubeflow}, spec: {gateways: [kubeflow-gateway], http: [{match: [{uri: {prefix: /pipeline}}], route: [{destination: {host: ml-pipeline-ui.kubeflow.svc.cluster.local}}]}]}}`
	mutual          = `{apiVersion: networking.istio.io/v1alpha3, kind: DestinationRule, metadata: {name: ml-pipeline-ui, namespace: kubeflow}, spec: {host: ml-pipeline-ui.kubeflow.svc.cluster.local, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}}`
	disabled        = `{apiVersion: networking.istio.io/v1alpha3, kind: DestinationRule, metadata: {name: ml-pipeline-ui, namespace: kubeflow}, spec: {host: ml-pipeline-ui, trafficPolicy: {tls: {mode: DISABLE}}}}`
	principals      = `{apiVersion: security.istio.io/v1beta1, kind: AuthorizationPolicy, metadata: {name: ml-pipeline-ui, namespace: kubeflow}, spec: {selector: {matchLabels: {app: ml-pipeline-ui}}, rules: [{from: [{source: {principals: [a]}}]}]}}`
	custom          = `{apiVersion: security.istio.io/v1beta1, kind: AuthorizationPolicy, metadata: {name: oauth2, namespace: istio-system}, spec: {action: CUSTOM, selector: {matchLabels: {app: istio-ingressgateway}}}}`
	authn           = `{apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {name: authn-filter, namespace: istio-system}}`
)

func runs(namespace, name string, containers ...string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
	for _, c := range append([]string{"main"}, containers...) {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: c})
	}
	return pod
}

func native(pod *corev1.Pod) *corev1.Pod {
	pod.Spec.InitContainers = []corev1.Container{{Name: "istio-proxy"}}
	return pod
}

func cluster(t *testing.T, pods []*corev1.Pod, objects []string) Cluster {
	t.Helper()
	podIndex := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	services := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, pod := range pods {
		if err := podIndex.Add(pod); err != nil {
			t.Fatal(err)
		}
		service := &corev1.Service{ObjectMeta: pod.ObjectMeta, Spec: corev1.ServiceSpec{Selector: pod.Labels}}
		if err := services.Add(service); err != nil {
			t.Fatal(err)
		}
	}
	istio := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		virtualServices: "VirtualServiceList", destinationRules: "DestinationRuleList", gateways: "GatewayList",
		envoyFilters: "EnvoyFilterList", authorizationPolicies: "AuthorizationPolicyList", requestAuthentications: "RequestAuthenticationList",
	})
	resources := map[string]schema.GroupVersionResource{
		"VirtualService": virtualServices, "DestinationRule": destinationRules, "Gateway": gateways,
		"EnvoyFilter": envoyFilters, "AuthorizationPolicy": authorizationPolicies, "RequestAuthentication": requestAuthentications,
	}
	for _, text := range objects {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
			t.Fatal(err)
		}
		if _, err := istio.Resource(resources[object.GetKind()]).Namespace(object.GetNamespace()).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return Cluster{Istio: istio, Pods: corelisters.NewPodLister(podIndex), Services: corelisters.NewServiceLister(services)}
}

func TestTheGatewayAnswersAsTheMeshWouldLetIt(t *testing.T) {
	base := []string{kubeflowGateway, dashboard, pipelines}
	bare := []*corev1.Pod{runs("kubeflow", "centraldashboard"), runs("kubeflow", "ml-pipeline-ui")}
	meshed := []*corev1.Pod{runs("kubeflow", "centraldashboard"), runs("kubeflow", "ml-pipeline-ui", "istio-proxy")}
	nativePods := []*corev1.Pod{native(runs("kubeflow", "ml-pipeline-ui"))}
	proxy := runs("oauth2-proxy", "oauth2-proxy")
	bearer := http.Header{"Authorization": {"Bearer x"}}
	for _, c := range []struct {
		name    string
		pods    []*corev1.Pod
		objects []string
		path    string
		header  http.Header
		status  int
		has     string // in the body or the Location
	}{
		{"v1.2 shows the dashboard to everybody", bare, base, "/", nil, 200, "<title>Kubeflow Central Dashboard</title>"},
		{"nothing is served without the Kubeflow gateway", bare, base[1:], "/", nil, 404, ""},
		{"mutual TLS to pods without a sidecar fails", bare, append(base, mutual), "/pipeline/", nil, 503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure"},
		{"mutual TLS to pods with a sidecar works", meshed, append(base, mutual), "/pipeline/", nil, 200, "Kubeflow Pipelines"},
		{"so it does to native sidecars", nativePods, append(base, mutual), "/pipeline/", nil, 200, "Kubeflow Pipelines"},
		{"plain text to pods without a sidecar works", bare, append(base, disabled), "/pipeline/", nil, 200, "Kubeflow Pipelines"},
		{"plain text to meshed pods that want a principal is denied", meshed, append(base, disabled, principals), "/pipeline/", nil, 403, "RBAC: access denied"},
		{"plain text to meshed pods without such a policy works", meshed, append(base, disabled), "/pipeline/", nil, 200, "Kubeflow Pipelines"},
		{"no ready pod is no upstream", bare[:1], append(base, mutual), "/pipeline/", nil, 503, "no healthy upstream"},
		{"oauth2-proxy asks for a sign-in", append(bare, proxy), append(base, custom), "/pipeline/?a=b", nil, 302, "/oauth2/start?rd=%2Fpipeline%2F%3Fa%3Db"},
		{"a token passes it", append(bare, proxy), append(base, custom), "/pipeline/", bearer, 200, "Kubeflow Pipelines"},
		{"without oauth2-proxy nobody gets in", bare, append(base, custom), "/", nil, 403, ""},
		{"authservice asks for a sign-in", append(bare, runs("istio-system", "authservice")), append(base, authn), "/", nil, 302, "/dex/auth?client_id="},
	} {
		t.Run(c.name, func(t *testing.T) {
			gatewayPod := runs("istio-system", "istio-ingressgateway")
			request := httptest.NewRequest("GET", c.path, nil)
			for key, values := range c.header {
				request.Header[key] = values
			}
			response := httptest.NewRecorder()
			New(cluster(t, c.pods, c.objects), gatewayPod).ServeHTTP(response, request)
			got := response.Body.String() + response.Header().Get("Location")
			if response.Code != c.status || !strings.Contains(got, c.has) {
				t.Errorf("%d %q, want %d with %q", response.Code, got, c.status, c.has)
			}
		})
	}
}

func TestAGatewayListensOnTheHTTPPortItDeclares(t *testing.T) {
	pod := runs("istio-system", "istio-ingressgateway")
	pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 8080}, {ContainerPort: 8443}, {ContainerPort: 15021}}
	c := cluster(t, nil, nil)
	for port, want := range map[int32]bool{8080: true, 80: false, 8443: false, 15021: true} {
		if got := c.Listener(pod, port) != nil; got != want {
			t.Errorf("listens on %d: %v, want %v", port, got, want)
		}
	}
}
