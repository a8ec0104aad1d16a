package dashboard

import (
	"context"
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Dashboard is everything that decides who can reach one Kubeflow's dashboard.
type Dashboard struct {
	Gateway
	Network
	Authentication Authentication
	Ingresses      []networkingv1.Ingress // those in front of one of the gateway's Services
	Routes         []Route                // the Gateway API's, likewise
	PublicNodes    string                 // why a port of the nodes counts as public; "" when no such port leads to the dashboard, or the nodes are private
	Region         string                 // of Azure, from the nodes' labels; "" when unknown
}

// ManagedLabels are the labels of every object that this program adds to expose the dashboard.
var ManagedLabels = map[string]string{
	"app.kubernetes.io/managed-by": "kubectl-kubeflow",
	"app.kubernetes.io/part-of":    "kubeflow",
	"app.kubernetes.io/component":  "expose",
}

// Read reads the whole model. A cluster without a gateway is a *problem.Error that wraps [ErrNoGateway].
func Read(ctx context.Context, view cluster.View) (Dashboard, error) {
	var d Dashboard
	var err error
	ctx, join := cluster.Joined(ctx)
	defer join()
	Ahead(ctx, view)
	if d.Gateway, err = FindGateway(ctx, view); err != nil {
		return d, err
	}
	if d.Network, err = d.ReadNetwork(ctx, view); err != nil {
		return d, err
	}
	if err = d.readRoutes(ctx, view); err != nil && !apierrors.IsForbidden(err) {
		return d, err // without permission there is one endpoint less to report: nothing is proven by them
	}
	d.PublicNodes = d.publicNodes(ctx, view)
	d.Authentication = d.Authenticate(ctx, view)
	d.Region = readRegion(ctx, view)
	return d, nil
}

// ReadEndpoints reads what Endpoints needs of a gateway's surroundings, and nothing about its authentication.
func (g Gateway) ReadEndpoints(ctx context.Context, view cluster.View) ([]Endpoint, error) {
	d := Dashboard{Gateway: g}
	if err := d.readRoutes(ctx, view); err != nil {
		return nil, err
	}
	d.PublicNodes = d.publicNodes(ctx, view)
	return d.Endpoints(), nil
}

var systemNodes = cluster.Scope{Labels: "kubernetes.azure.com/mode=system", Metadata: true}

// readRegion returns the Azure region, "" when it is unknown. The nodes of the system pool are few, and always there.
func readRegion(ctx context.Context, view cluster.View) string {
	system, err := view.List(ctx, kube.NodeKind, systemNodes)
	if err != nil {
		return ""
	}
	for _, node := range system {
		for _, label := range []string{"topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"} {
			if region := node.GetLabels()[label]; region != "" {
				return region
			}
		}
	}
	return ""
}

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

// listed returns the objects of a kind as their Go type.
func listed[T any](ctx context.Context, view cluster.View, kind schema.GroupKind, in cluster.Scope) ([]T, error) {
	objects, err := view.List(ctx, kind, in)
	if err != nil {
		return nil, fmt.Errorf("listing %ss: %w", kind.Kind, err)
	}
	all := make([]T, 0, len(objects))
	for _, o := range objects {
		typed, err := cluster.As[T](o)
		if err != nil {
			return nil, err
		}
		all = append(all, *typed)
	}
	return all, nil
}

// Ahead asks ahead for what [Read] reads of the gateway that Kubeflow brings. Of another gateway it reads more, one after the other.
func Ahead(ctx context.Context, view cluster.View) {
	in := cluster.Scope{Namespace: KubeflowNamespace}
	questions := []cluster.Question{
		{Ref: gatewayRef}, {Ref: ownRef},
		{Kind: kube.PodKind, In: cluster.Scope{Namespace: KubeflowNamespace, Labels: kubeflowLabels.String()}},
		{Kind: kube.PodKind, In: cluster.Scope{Labels: "istio=" + kubeflowLabels["istio"]}},
		{Kind: kube.ServiceKind, In: in}, {Kind: kube.NetworkPolicyKind, In: in}, {Kind: kube.IngressKind, In: in},
		{Kind: EnvoyFilterKind, In: in}, {Kind: AuthorizationPolicyKind, In: in}, {Kind: RequestAuthenticationKind, In: in}, {Kind: wasmPluginKind, In: in},
		{Kind: kube.ConfigMapKind, In: cluster.Scope{Namespace: KubeflowNamespace, Metadata: true}},
		{Ref: cluster.Ref{APIVersion: "v1", Kind: kube.ConfigMapKind.Kind, Namespace: KubeflowNamespace, Name: "istio"}},
		{Kind: kube.NodeKind, In: systemNodes},
		{Kind: virtualServiceKind}, {Kind: IstioGatewayKind}, {Kind: kube.IngressKind},
	}
	cluster.Ahead(ctx, view, append(questions, cluster.PolicyEngineQuestions()...)...)
}
