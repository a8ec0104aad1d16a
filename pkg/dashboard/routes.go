package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Route is an HTTPRoute of the Gateway API in front of the gateway: a second gateway before Istio's.
type Route struct {
	Ref     cluster.Ref
	Host    string // the name it is for; "" for any
	Address string // the address of the Gateway it is attached to; "" while that has none
	TLS     bool   // that Gateway has an HTTPS listener
}

const apiGateways = "gateway.networking.k8s.io/v1"

// readRoutes reads what else leads to the gateway: Services without a selector, and the Ingresses and HTTPRoutes that lead to one of the gateway's Services. If it is not allowed to list a kind it
// reads the other one anyway, and returns the error.
func (d *Dashboard) readRoutes(ctx context.Context, view cluster.View) error {
	if err := d.readManual(ctx, view); err != nil && !apierrors.IsForbidden(err) {
		return err
	}
	in := cluster.Scope{Namespace: d.Namespace()}
	all, err := cluster.IgnoreNoMatch(listed[networkingv1.Ingress](ctx, view, kube.IngressKind, in))
	refused := err
	if err != nil && !apierrors.IsForbidden(err) {
		return err
	}
	for _, ingress := range all {
		if slices.ContainsFunc(backends(ingress), d.named) {
			d.Ingresses = append(d.Ingresses, ingress)
		}
	}
	routes, err := cluster.IgnoreNoMatch(view.List(ctx, httpRouteKind, in))
	if err != nil && !apierrors.IsForbidden(err) {
		return fmt.Errorf("listing HTTPRoutes: %w", err)
	}
	refused = cmp.Or(refused, err)
	for _, route := range routes {
		if d.leadsHere(route) {
			d.Routes = append(d.Routes, readRoute(ctx, view, route))
		}
	}
	return refused
}

// named reports whether one of the gateway's Services has this name.
func (g Gateway) named(service string) bool {
	for _, s := range g.Services {
		if s.Name == service {
			return true
		}
	}
	return false
}

// backends returns the names of the Services that an Ingress leads to.
func backends(ingress networkingv1.Ingress) []string {
	var names []string
	add := func(b *networkingv1.IngressBackend) {
		if b != nil && b.Service != nil {
			names = append(names, b.Service.Name)
		}
	}
	add(ingress.Spec.DefaultBackend)
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for i := range rule.HTTP.Paths {
			add(&rule.HTTP.Paths[i].Backend)
		}
	}
	return names
}

// leadsHere reports whether a rule of the route names one of the gateway's Services.
func (g Gateway) leadsHere(route *unstructured.Unstructured) bool {
	for _, rule := range kube.Items(route.Object, "spec", "rules") {
		for _, backend := range kube.Items(rule, "backendRefs") {
			name, _ := backend["name"].(string)
			if g.named(name) && (backend["kind"] == nil || backend["kind"] == kube.ServiceKind.Kind) {
				return true
			}
		}
	}
	return false
}

func readRoute(ctx context.Context, view cluster.View, route *unstructured.Unstructured) Route {
	r := Route{Ref: cluster.RefOf(route)}
	if hosts := kube.Texts(route.Object, "spec", "hostnames"); len(hosts) > 0 {
		r.Host = hosts[0]
	}
	for _, parent := range kube.Items(route.Object, "spec", "parentRefs") {
		r.attach(ctx, view, parent, route.GetNamespace())
	}
	return r
}

// attach takes the address and the encryption from the Gateway that a route is attached to.
func (r *Route) attach(ctx context.Context, view cluster.View, parent map[string]any, namespace string) {
	name, _ := parent["name"].(string)
	if other, ok := parent["namespace"].(string); ok {
		namespace = other
	}
	gateway, err := cluster.IgnoreNotFound(view.Get(ctx, cluster.Ref{APIVersion: apiGateways, Kind: "Gateway", Namespace: namespace, Name: name}))
	if gateway == nil || err != nil {
		return
	}
	for _, address := range kube.Items(gateway.Object, "status", "addresses") {
		if r.Address == "" {
			r.Address, _ = address["value"].(string)
		}
	}
	for _, listener := range kube.Items(gateway.Object, "spec", "listeners") {
		r.TLS = r.TLS || listener["protocol"] == "HTTPS"
	}
}

// url returns what to open, "" while there is no address.
func (r Route) url() string {
	host := r.Host
	if host == "" {
		host = r.Address
	}
	if r.Address == "" {
		return ""
	}
	if r.TLS {
		return URLFor(host, 443, true)
	}
	return URLFor(host, 80, false)
}
