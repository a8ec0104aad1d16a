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
	ours   bool // expose added it to the Gateway
}

var (
	gatewayRef = cluster.Ref{APIVersion: "networking.istio.io/v1beta1", Kind: "Gateway", Namespace: "kubeflow", Name: "kubeflow-gateway"}
	ownRef     = cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: "istio-system", Name: "istio-ingressgateway"}
)

// lookGateway finds the Gateway, the own Service of the pods that it selects, and what is served there.
func (t *Target) lookGateway(ctx context.Context, view cluster.View) error {
	gateway, err := found(view.Get(ctx, gatewayRef))
	if err != nil && !apierrors.IsForbidden(err) { // who may not read Istio's objects can still see the Service
		return err
	}
	own, err := found(view.Get(ctx, ownRef))
	if err != nil {
		return err
	}
	if gateway != nil && (own == nil || !selects(gateway, own)) {
		selected, err := lookBySelector(ctx, view, gateway)
		if err != nil && !apierrors.IsForbidden(err) {
			return err
		}
		if selected != nil {
			own = selected
		}
	}
	if own == nil {
		return &cluster.Problem{
			What: "there is no Kubeflow gateway on this cluster: neither Service istio-system/istio-ingressgateway nor one that Gateway kubeflow/kubeflow-gateway selects",
			Next: "Install Kubeflow with: kubectl kubeflow install",
		}
	}
	if t.Service, err = as[corev1.Service](own); err != nil {
		return err
	}
	t.gateway = gateway
	if t.Listeners = listenersOf(t.Service, gateway); len(t.Listeners) == 0 {
		return &cluster.Problem{
			What: "Service " + t.Service.Namespace + "/" + t.Service.Name + " has no port for what Gateway kubeflow/kubeflow-gateway serves",
			Next: "See both with: kubectl get service,gateway -A -o wide",
		}
	}
	return nil
}

// selects tells whether the pods behind a Service are those that a Gateway is for. A Gateway that selects none is for all.
func selects(gateway, service *unstructured.Unstructured) bool {
	wanted, _, _ := unstructured.NestedStringMap(gateway.Object, "spec", "selector")
	selected, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	return labels.SelectorFromSet(wanted).Matches(labels.Set(selected))
}

// lookBySelector finds the Service in front of the pods that the Gateway selects, wherever they are: AKS's own Istio has its
// gateways in aks-istio-ingress.
func lookBySelector(ctx context.Context, view cluster.View, gateway *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if selector, _, _ := unstructured.NestedStringMap(gateway.Object, "spec", "selector"); len(selector) == 0 {
		return nil, nil
	}
	all, err := view.List(ctx, services, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if selects(gateway, o) && o.GetName() != LoadBalancerName {
			return o, nil
		}
	}
	return nil, nil
}

// listenersOf joins the Gateway's servers with the Service's ports: plain HTTP first, unless it only sends visitors on to HTTPS.
// Without a Gateway, or with one whose servers the Service does not have, port 80 is the one.
func listenersOf(service *corev1.Service, gateway *unstructured.Unstructured) []Listener {
	var plain, secure []Listener
	seen, onward := map[int32]bool{}, false
	for _, server := range servers(gateway) {
		number, _, _ := unstructured.NestedInt64(server, "port", "number")
		name, _, _ := unstructured.NestedString(server, "port", "name")
		port := portOf(service, int32(number))
		switch {
		case port == nil || seen[port.Port]:
			continue
		case encrypted(server):
			secure = append(secure, Listener{Port: port.Port, Target: targetOf(port), TLS: true, ours: name == serverName})
		default:
			plain = append(plain, Listener{Port: port.Port, Target: targetOf(port)})
			onward = onward || redirects(server)
		}
		seen[port.Port] = true
	}
	if port := portOf(service, 80); port != nil && len(plain)+len(secure) == 0 {
		plain = append(plain, Listener{Port: 80, Target: targetOf(port)})
	}
	if onward && len(secure) > 0 {
		return append(secure, plain...)
	}
	return append(plain, secure...)
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
