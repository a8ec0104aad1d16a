package checks

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// istioGatewayKind is Istio's own Gateway; gatewayKind is that of the Gateway API.
var istioGatewayKind = schema.GroupKind{Group: "networking.istio.io", Kind: "Gateway"}

// Azure's annotations on a Service of type LoadBalancer.
const (
	annotationInternal = "service.beta.kubernetes.io/azure-load-balancer-internal"
	annotationRanges   = "service.beta.kubernetes.io/azure-allowed-ip-ranges"
	annotationTags     = "service.beta.kubernetes.io/azure-allowed-service-tags"
)

// gatewayServices returns the Services that lead to the dashboard's gateway.
func gatewayServices(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	list, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: gatewayNamespace})
	if err != nil {
		return nil, err
	}
	ways := slices.DeleteFunc(slices.Clone(list), func(s *unstructured.Unstructured) bool { return !leadsToGateway(s) })
	if len(ways) == 0 {
		return nil, doctor.Skip("there is no istio-ingressgateway in namespace %s", gatewayNamespace)
	}
	return ways, nil
}

// loadBalancers returns the Services of type LoadBalancer that lead to the gateway. Without one, a check of them does not apply.
func loadBalancers(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	ways, err := gatewayServices(ctx, e)
	if err != nil {
		return nil, err
	}
	ways = slices.DeleteFunc(ways, func(s *unstructured.Unstructured) bool { return typeOf(s) != "LoadBalancer" })
	if len(ways) == 0 {
		return nil, doctor.Skip("no load balancer leads to the dashboard")
	}
	return ways, nil
}

// internal tells whether a load balancer's address is one of the virtual network.
func internal(service *unstructured.Unstructured) bool {
	return service.GetAnnotations()[annotationInternal] == "true"
}

// everybody is how Azure and Kubernetes say that anybody may come.
var everybody = []string{"0.0.0.0/0", "::/0", "Internet", "internet", "*", ""}

// limited tells whether a load balancer lets only some addresses in.
func limited(service *unstructured.Unstructured) bool {
	allowed := kube.Texts(service.Object, "spec", "loadBalancerSourceRanges")
	for _, key := range []string{annotationRanges, annotationTags} {
		if value := service.GetAnnotations()[key]; value != "" {
			allowed = append(allowed, commaSeparated(value)...)
		}
	}
	return len(allowed) > 0 && !slices.ContainsFunc(allowed, func(s string) bool { return slices.Contains(everybody, s) })
}

// dashboardGateway returns Istio's Gateway through which the dashboard is served; nil when there is none.
func dashboardGateway(ctx context.Context, e doctor.Exam) (*unstructured.Unstructured, error) {
	g, err := e.Get(ctx, cluster.Ref{APIVersion: "networking.istio.io/v1beta1", Kind: istioGatewayKind.Kind, Namespace: kubeflow, Name: "kubeflow-gateway"})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return g, err
}

// encrypts tells whether a Gateway has a server for HTTPS.
func encrypts(gateway *unstructured.Unstructured) bool {
	return slices.ContainsFunc(kube.Items(gateway.Object, "spec", "servers"), func(server map[string]any) bool {
		protocol := kube.Text(server, "port", "protocol")
		return protocol == "HTTPS" || protocol == "TLS"
	})
}
