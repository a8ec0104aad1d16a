package dashboard

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// The kinds of Istio and of the Gateway API that decide about the dashboard.
var (
	IstioGatewayKind          = schema.GroupKind{Group: "networking.istio.io", Kind: "Gateway"}
	EnvoyFilterKind           = schema.GroupKind{Group: "networking.istio.io", Kind: "EnvoyFilter"}
	AuthorizationPolicyKind   = schema.GroupKind{Group: "security.istio.io", Kind: "AuthorizationPolicy"}
	RequestAuthenticationKind = schema.GroupKind{Group: "security.istio.io", Kind: "RequestAuthentication"}
	httpRouteKind             = schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}
	virtualServiceKind        = schema.GroupKind{Group: "networking.istio.io", Kind: "VirtualService"}
	wasmPluginKind            = schema.GroupKind{Group: "extensions.istio.io", Kind: "WasmPlugin"}
	apiGatewayKind            = schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "Gateway"}
)

// What the parts of the model are read from.
var (
	GatewayKinds        = []schema.GroupKind{IstioGatewayKind, kube.ServiceKind, kube.PodKind}
	RouteKinds          = []schema.GroupKind{kube.IngressKind, httpRouteKind, apiGatewayKind, kube.EndpointSliceKind, kube.NodeKind}
	NetworkKinds        = []schema.GroupKind{kube.NetworkPolicyKind, kube.DaemonSetKind}
	AuthenticationKinds = []schema.GroupKind{EnvoyFilterKind, AuthorizationPolicyKind, RequestAuthenticationKind, wasmPluginKind,
		virtualServiceKind, IstioGatewayKind, kube.IngressKind, kube.EndpointSliceKind, kube.DeploymentKind, kube.StatefulSetKind, kube.ConfigMapKind}
)
