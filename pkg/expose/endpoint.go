package expose

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An Endpoint is one way in which the dashboard can be reached now, or could be if it had its address already.
type Endpoint struct {
	Via          string      `json:"via"` // LoadBalancer, Ingress, HTTPRoute, NodePort, ClusterIP or port-forward
	About        cluster.Ref `json:"about"`
	URL          string      `json:"url,omitempty"`     // "" while there is no address, or none that a browser outside could open
	Address      string      `json:"address,omitempty"` // the IP behind the URL's name, where it is known
	Reach        Reach       `json:"reach"`
	SourceRanges []string    `json:"sourceRanges,omitempty"`
	MadeByExpose bool        `json:"madeByExpose"`
	Blocked      []int32     `json:"blockedPorts,omitempty"` // the gateway's ports that NetworkPolicies close to visitors
	Waits        string      `json:"waitsFor,omitempty"`     // why there is no address yet
	Answer       *Answer     `json:"answer,omitempty"`       // what really came back; nil when nobody asked
}

// Endpoints returns how the dashboard can be reached now: what a browser can open first, the narrower last.
func Endpoints(t Target) []Endpoint {
	var all []Endpoint
	var closed []int32
	for _, p := range blocked(t.Policies, t.labels(), t.servedPorts()) {
		closed = append(closed, p.Number)
	}
	for i := range t.Services {
		s := &t.Services[i]
		if t.portOn(s) == nil {
			continue // selects the gateway's pods for something else: metrics, a health check
		}
		e := Endpoint{
			Via: string(s.Spec.Type), Reach: reachOf(s), SourceRanges: s.Spec.LoadBalancerSourceRanges, URL: t.urlOf(s), Blocked: closed,
			About: cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Name}, Address: addressOf(s),
		}
		e.MadeByExpose = slices.ContainsFunc(t.Made.Objects, func(o *unstructured.Unstructured) bool { return cluster.RefOf(o) == e.About })
		all = append(all, e)
	}
	for _, ingress := range t.Ingresses {
		all = append(all, Endpoint{
			Via: "Ingress", Reach: Public, URL: ingressURL(ingress), Blocked: closed,
			About: cluster.Ref{APIVersion: "networking.k8s.io/v1", Kind: "Ingress", Namespace: ingress.Namespace, Name: ingress.Name},
		})
	}
	for _, route := range t.Routes {
		all = append(all, Endpoint{Via: "HTTPRoute", Reach: Public, URL: route.url(), Address: route.At, Blocked: closed, About: route.Ref})
	}
	order := []string{"LoadBalancer", "Ingress", "HTTPRoute", "NodePort", "ClusterIP"}
	slices.SortStableFunc(all, func(a, b Endpoint) int { return slices.Index(order, a.Via) - slices.Index(order, b.Via) })
	return all
}

// portOn returns the port of a Service that leads to the dashboard, nil when none does: plain HTTP before HTTPS.
func (t Target) portOn(s *corev1.Service) *corev1.ServicePort {
	port, _ := t.portAndListener(s)
	return port
}

func (t Target) portAndListener(s *corev1.Service) (*corev1.ServicePort, Listener) {
	for _, l := range t.Listeners {
		for i := range s.Spec.Ports {
			if p := &s.Spec.Ports[i]; t.number(targetOf(p)) == t.number(l.Target) {
				return p, l
			}
		}
	}
	return nil, Listener{}
}

// URL returns what to open at a Service, "" while it has no address.
func (t Target) URL(service cluster.Ref) string {
	if s := t.service(service); s != nil {
		return t.urlOf(s)
	}
	return ""
}

// Host returns the name under which visitors come to a Service, "" where they come by its address.
func (t Target) Host(service cluster.Ref) string {
	if s := t.service(service); s != nil {
		return t.hostOf(s)
	}
	return ""
}

func (t Target) service(ref cluster.Ref) *corev1.Service {
	for i := range t.Services {
		if s := &t.Services[i]; s.Name == ref.Name && s.Namespace == ref.Namespace {
			return s
		}
	}
	return nil
}

// urlOf returns the URL to open, "" for a Service without an address that a browser outside could reach.
func (t Target) urlOf(s *corev1.Service) string {
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer || len(s.Status.LoadBalancer.Ingress) == 0 {
		return ""
	}
	port, listener := t.portAndListener(s)
	if port == nil {
		return ""
	}
	address := s.Status.LoadBalancer.Ingress[0]
	host := t.hostOf(s)
	if host == "" {
		host = address.Hostname
	}
	if host == "" {
		host = address.IP
	}
	return urlFor(host, port.Port, listener.TLS)
}

// addressOf returns the IP of a Service, "" while it has none.
func addressOf(s *corev1.Service) string {
	for _, address := range s.Status.LoadBalancer.Ingress {
		if address.IP != "" {
			return address.IP
		}
	}
	return ""
}

// urlFor returns "http://host/", with the port only where a browser needs it.
func urlFor(host string, port int32, tls bool) string {
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
		return urlFor(host, 443, true)
	}
	return urlFor(host, 80, false)
}
