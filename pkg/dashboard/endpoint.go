package dashboard

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An Endpoint is one way in which the dashboard can be reached now, or could be if it had its address already.
type Endpoint struct {
	Via          string      `json:"via"` // LoadBalancer, Ingress, HTTPRoute, NodePort, HostPort, ClusterIP or port-forward
	About        cluster.Ref `json:"about"`
	URL          string      `json:"url,omitempty"`     // "" while there is no address, or none that a browser outside could open
	Address      string      `json:"address,omitempty"` // the IP behind the URL's name, where it is known
	Reach        Reach       `json:"reach"`
	Open         string      `json:"open,omitempty"` // why it counts as public although it looks limited; "" otherwise
	SourceRanges []string    `json:"sourceRanges,omitempty"`
	Blocked      []int32     `json:"blockedPorts,omitempty"` // the gateway's ports that NetworkPolicies close to the outside
}

// Outside reports whether the endpoint is meant for clients outside the cluster.
func (e Endpoint) Outside() bool {
	return e.Via == "LoadBalancer" || e.Via == "Ingress" || e.Via == "HTTPRoute" || e.Reach == Public
}

// Live reports whether clients can connect already: a load balancer, an Ingress or a route may still wait for its address.
func (e Endpoint) Live() bool {
	return e.URL != "" || e.Address != "" || e.Via != "LoadBalancer" && e.Via != "Ingress" && e.Via != "HTTPRoute"
}

// Endpoints returns how the dashboard can be reached now: what a browser can open first, the narrower last.
func (d Dashboard) Endpoints() []Endpoint {
	var all []Endpoint
	var closed []int32
	for _, p := range d.Closed() {
		closed = append(closed, p.Number)
	}
	for i := range d.Services {
		s := &d.Services[i]
		if !d.Serves(s) {
			continue // selects the gateway's pods for something else: metrics, a health check
		}
		e := Endpoint{
			Via: typeOf(s), SourceRanges: s.Spec.LoadBalancerSourceRanges, URL: d.ServiceURL(s), Blocked: closed,
			About: refOf(s), Address: IPOf(s),
		}
		e.Reach, e.Open = ReachOf(s)
		if e.Via == "NodePort" && e.Reach == Internal && d.PublicNodes != "" {
			e.Reach, e.Open = Public, d.PublicNodes
		}
		all = append(all, e)
	}
	for _, pod := range d.hostPods() {
		e := Endpoint{Via: "HostPort", Reach: Internal, Blocked: closed, About: cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name}}
		if d.PublicNodes != "" {
			e.Reach, e.Open = Public, d.PublicNodes
		}
		all = append(all, e)
	}
	for _, ingress := range d.Ingresses {
		all = append(all, Endpoint{
			Via: "Ingress", Reach: Public, Open: "who can reach an Ingress is decided by its controller", URL: ingressURL(ingress), Blocked: closed,
			About: cluster.Ref{APIVersion: "networking.k8s.io/v1", Kind: "Ingress", Namespace: ingress.Namespace, Name: ingress.Name},
		})
	}
	for _, route := range d.Routes {
		all = append(all, Endpoint{Via: "HTTPRoute", Reach: Public, Open: "who can reach an HTTPRoute is decided by its Gateway", URL: route.url(), Address: route.Address, Blocked: closed, About: route.Ref})
	}
	order := []string{"LoadBalancer", "Ingress", "HTTPRoute", "NodePort", "HostPort", "ClusterIP"}
	slices.SortStableFunc(all, func(a, b Endpoint) int { return slices.Index(order, a.Via) - slices.Index(order, b.Via) })
	return all
}

func refOf(s *corev1.Service) cluster.Ref {
	return cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Name}
}

// typeOf returns a Service's type; manifests may leave out that it is a ClusterIP.
func typeOf(s *corev1.Service) string {
	return string(cmp.Or(s.Spec.Type, corev1.ServiceTypeClusterIP))
}

// portAndListener returns the port of a Service that leads to the dashboard, and where to; plain HTTP before HTTPS. nil when none
// does. A port that leads elsewhere counts where the gateway's own Service serves the dashboard on the same one, and so does one
// whose target no pod declares: it is intended for the dashboard, and may reach it later.
func (g Gateway) portAndListener(s *corev1.Service) (*corev1.ServicePort, Listener) {
	leads := func(p *corev1.ServicePort, l Listener) bool { return g.PortAt(TargetOf(p)).is(g.PortAt(l.Target)) }
	meant := func(p *corev1.ServicePort, l Listener) bool {
		return p.Port == l.Port || g.PortAt(TargetOf(p)).Number == 0
	}
	for _, suits := range []func(*corev1.ServicePort, Listener) bool{leads, meant} {
		for _, l := range g.Listeners {
			for i := range s.Spec.Ports {
				if suits(&s.Spec.Ports[i], l) {
					return &s.Spec.Ports[i], l
				}
			}
		}
	}
	return nil, Listener{}
}

// Serves reports whether a Service leads to the dashboard, or is intended to.
func (g Gateway) Serves(s *corev1.Service) bool {
	port, _ := g.portAndListener(s)
	return port != nil
}

// URL returns what to open at a Service, "" while it has no address.
func (d Dashboard) URL(service cluster.Ref) string {
	if s := d.find(service); s != nil {
		return d.ServiceURL(s)
	}
	return ""
}

// Host returns the DNS name of a Service, "" where it has only an address.
func (d Dashboard) Host(service cluster.Ref) string {
	if s := d.find(service); s != nil {
		return d.HostOf(s)
	}
	return ""
}

func (g Gateway) find(ref cluster.Ref) *corev1.Service {
	for i := range g.Services {
		if s := &g.Services[i]; s.Name == ref.Name && s.Namespace == ref.Namespace {
			return s
		}
	}
	return nil
}

// ServiceURL returns the URL to open, "" for a Service without an address that a browser outside could reach.
func (d Dashboard) ServiceURL(s *corev1.Service) string {
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer || !HasAddress(s) {
		return ""
	}
	port, listener := d.portAndListener(s)
	if port == nil {
		return ""
	}
	address := s.Status.LoadBalancer.Ingress[0]
	return URLFor(cmp.Or(d.HostOf(s), address.Hostname, address.IP), port.Port, listener.TLS)
}

// HostOf returns the DNS name of a Service, "" where it has only an address.
func (d Dashboard) HostOf(s *corev1.Service) string {
	if host := s.Annotations[HostAnnotation]; host != "" {
		return host
	}
	if label := s.Annotations[DNSLabelAnnotation]; label != "" && d.Region != "" && !IsInternal(s) {
		return label + "." + d.Region + ".cloudapp.azure.com"
	}
	return ""
}

// HasAddress reports whether a Service of type LoadBalancer has its address.
func HasAddress(s *corev1.Service) bool { return len(s.Status.LoadBalancer.Ingress) > 0 }

// IPOf returns the IP of a Service, "" while it has none.
func IPOf(s *corev1.Service) string {
	for _, address := range s.Status.LoadBalancer.Ingress {
		if address.IP != "" {
			return address.IP
		}
	}
	return ""
}

// URLFor returns "http://host/", with the port only where a browser needs it.
func URLFor(host string, port int32, tls bool) string {
	scheme, usual := "http", int32(80)
	if tls {
		scheme, usual = "https", 443
	}
	if port != usual {
		return fmt.Sprintf("%s://%s/", scheme, net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
	if address := net.ParseIP(host); address != nil && address.To4() == nil {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s://%s/", scheme, host)
}

func ingressURL(ingress networkingv1.Ingress) string {
	if len(ingress.Status.LoadBalancer.Ingress) == 0 {
		return ""
	}
	host := ingress.Status.LoadBalancer.Ingress[0].Hostname
	if host == "" {
		host = ingress.Status.LoadBalancer.Ingress[0].IP
	}
	for _, rule := range ingress.Spec.Rules {
		if rule.Host != "" {
			host = rule.Host
			break
		}
	}
	if len(ingress.Spec.TLS) > 0 {
		return URLFor(host, 443, true)
	}
	return URLFor(host, 80, false)
}
