package checks

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const gatewayNamespace = "istio-system"

// gatewayLabels are on the pods of Kubeflow's gateway in every release.
var gatewayLabels = labels.Set{"app": "istio-ingressgateway", "istio": "ingressgateway"}

var endpoint = &doctor.Check{
	ID:    "exposure/endpoint",
	Title: "Dashboard has an external address",
	Why: "Kubeflow makes no address that can be reached from outside: its gateway's Service is a NodePort or ClusterIP. That is a legal choice, " +
		"since a port-forward always works, so this is never more than information.",
	FixNote: "Nothing by itself: kubectl kubeflow expose shows the ways, and refuses a public address without sign-in.",
	Reads:   []schema.GroupKind{kube.ServiceKind, kube.IngressKind, routeKind, gatewayKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		services, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: gatewayNamespace})
		if err != nil {
			return nil, err
		}
		var ways []*unstructured.Unstructured
		for _, s := range services {
			if leadsToGateway(s) {
				ways = append(ways, s)
			}
		}
		if len(ways) == 0 {
			return nil, doctor.Skip("there is no istio-ingressgateway in namespace %s", gatewayNamespace)
		}
		ingresses, err := e.List(ctx, kube.IngressKind, cluster.Scope{Namespace: gatewayNamespace})
		if err != nil {
			return nil, err
		}
		routed, err := hasRoute(ctx, e, ways)
		if err != nil || routed {
			return nil, err
		}
		return judgeEndpoint(ways, ingresses), nil
	},
}

// leadsToGateway tells whether a Service's selector matches the gateway's pods.
func leadsToGateway(service *unstructured.Unstructured) bool {
	selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	return len(selector) > 0 && labels.SelectorFromSet(selector).Matches(gatewayLabels)
}

func judgeEndpoint(services, ingresses []*unstructured.Unstructured) []doctor.Finding {
	backend := map[string]bool{}
	var pending *unstructured.Unstructured
	for _, s := range services {
		backend[s.GetName()] = true
		if kube.Text(s.Object, "spec", "type") != "LoadBalancer" {
			continue
		}
		if hasAddress(s) {
			return nil
		}
		pending = s
	}
	for _, i := range ingresses {
		if hasAddress(i) && leadsTo(i, backend) {
			return nil
		}
	}
	f := doctor.Finding{
		Severity: doctor.Info,
		About:    doctor.Subject{Ref: cluster.RefOf(services[0]), Field: "spec.type"},
		Message:  "the dashboard has no address outside the cluster: its gateway's Service is a " + typeOf(services[0]),
		Advice:   "Reach it with a port-forward, or give it an address.",
		Command:  "kubectl kubeflow expose",
	}
	if pending != nil {
		f.About = doctor.Subject{Ref: cluster.RefOf(pending), Field: "status.loadBalancer"}
		f.Message = "the load balancer for the dashboard has no address yet"
		f.Advice = "AKS gives one within a minute or two; the Service's events say what keeps it."
		f.Command = "kubectl describe service -n " + pending.GetNamespace() + " " + pending.GetName()
	}
	return []doctor.Finding{f}
}

func typeOf(service *unstructured.Unstructured) string {
	if t := kube.Text(service.Object, "spec", "type"); t != "" {
		return t
	}
	return "ClusterIP"
}

func hasAddress(o *unstructured.Unstructured) bool {
	return len(kube.Items(o.Object, "status", "loadBalancer", "ingress")) > 0
}

// leadsTo tells whether an Ingress sends anything to one of these Services.
func leadsTo(ingress *unstructured.Unstructured, services map[string]bool) bool {
	if services[kube.Text(ingress.Object, "spec", "defaultBackend", "service", "name")] {
		return true
	}
	for _, rule := range kube.Items(ingress.Object, "spec", "rules") {
		for _, path := range kube.Items(rule, "http", "paths") {
			if services[kube.Text(path, "backend", "service", "name")] {
				return true
			}
		}
	}
	return false
}
