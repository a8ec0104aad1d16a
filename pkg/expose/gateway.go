package expose

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Listener is one port that the gateway serves the dashboard on.
type Listener struct {
	Port   int32              // as the gateway's own Service has it: 80
	Target intstr.IntOrString // where the pods listen: 80, 8080 or a name
	TLS    bool
}

var (
	gatewayRef = cluster.Ref{APIVersion: "networking.istio.io/v1beta1", Kind: "Gateway", Namespace: "kubeflow", Name: "kubeflow-gateway"}
	ownRef     = cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: "istio-system", Name: "istio-ingressgateway"}
)

// lookGateway finds the gateway's own Service and what it serves.
func lookGateway(ctx context.Context, view cluster.View) (*corev1.Service, []Listener, error) {
	gateway, err := found(view.Get(ctx, gatewayRef))
	if err != nil && !apierrors.IsForbidden(err) { // who may not read Istio's objects can still see the Service
		return nil, nil, err
	}
	own, err := found(view.Get(ctx, ownRef))
	if err != nil {
		return nil, nil, err
	}
	if own == nil && gateway != nil {
		if own, err = lookBySelector(ctx, view, gateway); err != nil {
			return nil, nil, err
		}
	}
	if own == nil {
		return nil, nil, &cluster.Problem{
			What: "there is no Kubeflow gateway on this cluster: neither Service istio-system/istio-ingressgateway nor one that Gateway kubeflow/kubeflow-gateway selects",
			Next: "Install Kubeflow with: kubectl kubeflow install",
		}
	}
	service, err := as[corev1.Service](own)
	if err != nil {
		return nil, nil, err
	}
	listeners := listenersOf(service, gateway)
	if len(listeners) == 0 {
		return nil, nil, &cluster.Problem{
			What: "Service " + service.Namespace + "/" + service.Name + " has no port for what Gateway kubeflow/kubeflow-gateway serves",
			Next: "See both with: kubectl get service,gateway -A -o wide",
		}
	}
	return service, listeners, nil
}

// lookBySelector finds the Service in front of the pods that the Gateway selects, wherever they are.
func lookBySelector(ctx context.Context, view cluster.View, gateway *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	selector, _, _ := unstructured.NestedStringMap(gateway.Object, "spec", "selector")
	if len(selector) == 0 {
		return nil, nil
	}
	all, err := view.List(ctx, services, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		selected, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
		if labels.SelectorFromSet(selector).Matches(labels.Set(selected)) && o.GetName() != LoadBalancerName {
			return o, nil
		}
	}
	return nil, nil
}

// listenersOf joins the Gateway's servers with the Service's ports: plain HTTP first.
// Without a Gateway, or with one whose servers the Service does not have, port 80 is the one.
func listenersOf(service *corev1.Service, gateway *unstructured.Unstructured) []Listener {
	var plain, encrypted []Listener
	seen := map[int32]bool{}
	if gateway != nil {
		servers, _, _ := unstructured.NestedSlice(gateway.Object, "spec", "servers")
		for _, item := range servers {
			server, _ := item.(map[string]any)
			number, _, _ := unstructured.NestedInt64(server, "port", "number")
			protocol, _, _ := unstructured.NestedString(server, "port", "protocol")
			port := portOf(service, int32(number))
			switch {
			case port == nil || seen[port.Port]:
				continue
			case protocol == "HTTPS" || protocol == "TLS":
				encrypted = append(encrypted, Listener{Port: port.Port, Target: targetOf(port), TLS: true})
			default:
				plain = append(plain, Listener{Port: port.Port, Target: targetOf(port)})
			}
			seen[port.Port] = true
		}
	}
	if port := portOf(service, 80); port != nil && len(plain)+len(encrypted) == 0 {
		plain = append(plain, Listener{Port: 80, Target: targetOf(port)})
	}
	return append(plain, encrypted...)
}

func portOf(service *corev1.Service, number int32) *corev1.ServicePort {
	for i := range service.Spec.Ports {
		if service.Spec.Ports[i].Port == number {
			return &service.Spec.Ports[i]
		}
	}
	return nil
}

// targetOf returns where a Service's port leads; rendered manifests may leave it out, which means the same number.
func targetOf(port *corev1.ServicePort) intstr.IntOrString {
	if port.TargetPort == (intstr.IntOrString{}) {
		return intstr.FromInt32(port.Port)
	}
	return port.TargetPort
}

// number returns the port number that a target has in the gateway's pods, 0 when no container has a port of that name.
func (t Target) number(target intstr.IntOrString) int32 {
	if target.Type == intstr.Int {
		return target.IntVal
	}
	for _, pod := range t.Pods {
		for _, c := range pod.Spec.Containers {
			for _, p := range c.Ports {
				if p.Name == target.StrVal {
					return p.ContainerPort
				}
			}
		}
	}
	return 0
}
