package dashboard

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// A Listener is one port that the gateway serves the dashboard on.
type Listener struct {
	Port   int32              // as the gateway's own Service has it: 80
	Target intstr.IntOrString // where the pods listen: 80, 8080 or a name
	TLS    bool
	Server string // the port name of the Gateway's server; "" where no Gateway names one
}

// listenersOf joins the Gateway's servers with the Service's ports: plain HTTP first, unless it only redirects to HTTPS.
// Without a Gateway, or with one whose servers the Service does not have, port 80 is the one.
func listenersOf(service *corev1.Service, gateway *unstructured.Unstructured) []Listener {
	var plain, secure []Listener
	seen, onward := map[int32]bool{}, false
	for _, server := range Servers(gateway) {
		name := kube.Text(server, "port", "name")
		port := PortOf(service, int32(kube.Number(server, "port", "number")))
		switch {
		case port == nil || seen[port.Port]:
			continue
		case Encrypted(server):
			secure = append(secure, Listener{Port: port.Port, Target: TargetOf(port), TLS: true, Server: name})
		default:
			plain = append(plain, Listener{Port: port.Port, Target: TargetOf(port), Server: name})
			onward = onward || Redirects(server)
		}
		seen[port.Port] = true
	}
	if port := PortOf(service, 80); port != nil && len(plain)+len(secure) == 0 {
		plain = append(plain, Listener{Port: 80, Target: TargetOf(port)})
	}
	if onward && len(secure) > 0 {
		return append(secure, plain...)
	}
	return append(plain, secure...)
}

// Servers returns the servers of a Gateway of Istio's, copied; a nil Gateway has none.
func Servers(gateway *unstructured.Unstructured) []map[string]any {
	if gateway == nil {
		return nil
	}
	return kube.Items(gateway.DeepCopy().Object, "spec", "servers")
}

// Encrypted reports whether a Gateway's server is for HTTPS.
func Encrypted(server map[string]any) bool {
	protocol := kube.Text(server, "port", "protocol")
	return protocol == "HTTPS" || protocol == "TLS"
}

// Redirects reports whether a Gateway's server only redirects to HTTPS.
func Redirects(server map[string]any) bool {
	return kube.Flag(server, "tls", "httpsRedirect")
}

// PortOf returns a Service's port by its number; nil when it has none.
func PortOf(service *corev1.Service, number int32) *corev1.ServicePort {
	for i := range service.Spec.Ports {
		if service.Spec.Ports[i].Port == number {
			return &service.Spec.Ports[i]
		}
	}
	return nil
}

// TargetOf returns where a Service's port leads; rendered manifests may leave it out, which means the same number.
func TargetOf(port *corev1.ServicePort) intstr.IntOrString {
	if port.TargetPort == (intstr.IntOrString{}) {
		return intstr.FromInt32(port.Port)
	}
	return port.TargetPort
}

// A Port is a port of the gateway's pods, by number and, where a container or Service names it, by name.
type Port struct {
	Number int32 // 0 where no container has a port of that name
	Name   string
}

// PortAt returns the port of the gateway's pods to which a Service's target leads.
func (g Gateway) PortAt(target intstr.IntOrString) Port {
	p := Port{Number: target.IntVal, Name: target.StrVal}
	for _, pod := range g.Pods {
		for _, c := range pod.Spec.Containers {
			for _, declared := range c.Ports {
				switch {
				case p.Number == 0 && p.Name != "" && declared.Name == p.Name:
					p.Number = declared.ContainerPort
				case target.Type == intstr.Int && p.Name == "" && declared.ContainerPort == p.Number:
					p.Name = declared.Name
				}
			}
		}
	}
	return p
}

// ServedPorts returns the ports of the pods that the dashboard is served on.
func (g Gateway) ServedPorts() []Port {
	var ports []Port
	for _, l := range g.Listeners {
		ports = append(ports, g.PortAt(l.Target))
	}
	return ports
}

// is reports whether two ports are the same one.
func (p Port) is(q Port) bool {
	if p.Number == 0 && q.Number == 0 {
		return p.Name == q.Name
	}
	return p.Number == q.Number
}
