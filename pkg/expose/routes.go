package expose

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Route is an HTTPRoute of the Gateway API in front of the gateway: a second gateway before Istio's.
type Route struct {
	Ref  cluster.Ref
	Host string // the name it is for; "" for any
	At   string // the address of the Gateway it hangs on; "" while it has none
	TLS  bool   // that Gateway has an HTTPS listener
}

const apiGateways = "gateway.networking.k8s.io/v1"

var httpRoutes = schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}

// lookRoutes returns the HTTPRoutes that send visitors to one of the gateway's Services. Nothing is decided by them: what
// may not be read is one way less to tell of.
func lookRoutes(ctx context.Context, view cluster.View, t Target) ([]Route, error) {
	all, err := optional(view.List(ctx, httpRoutes, cluster.Scope{Namespace: t.Namespace()}))
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	var chosen []Route
	for _, o := range all {
		if !t.leadsHere(o) {
			continue
		}
		r := Route{Ref: cluster.RefOf(o)}
		if hosts, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hostnames"); len(hosts) > 0 {
			r.Host = hosts[0]
		}
		parents, _, _ := unstructured.NestedSlice(o.Object, "spec", "parentRefs")
		for _, item := range parents {
			parent, _ := item.(map[string]any)
			r.hangOn(ctx, view, parent, o.GetNamespace())
		}
		chosen = append(chosen, r)
	}
	return chosen, err
}

// leadsHere tells whether a rule of the route names one of the gateway's Services.
func (t Target) leadsHere(route *unstructured.Unstructured) bool {
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	for _, item := range rules {
		rule, _ := item.(map[string]any)
		backends, _, _ := unstructured.NestedSlice(rule, "backendRefs")
		for _, item := range backends {
			backend, _ := item.(map[string]any)
			for _, s := range t.Services {
				if backend["name"] == s.Name && (backend["kind"] == nil || backend["kind"] == services.Kind) {
					return true
				}
			}
		}
	}
	return false
}

// hangOn takes the address and the encryption from the Gateway that a route hangs on.
func (r *Route) hangOn(ctx context.Context, view cluster.View, parent map[string]any, namespace string) {
	name, _ := parent["name"].(string)
	if other, ok := parent["namespace"].(string); ok {
		namespace = other
	}
	gateway, err := found(view.Get(ctx, cluster.Ref{APIVersion: apiGateways, Kind: "Gateway", Namespace: namespace, Name: name}))
	if gateway == nil || err != nil {
		return
	}
	addresses, _, _ := unstructured.NestedSlice(gateway.Object, "status", "addresses")
	for _, item := range addresses {
		if address, ok := item.(map[string]any); ok && r.At == "" {
			r.At, _ = address["value"].(string)
		}
	}
	listeners, _, _ := unstructured.NestedSlice(gateway.Object, "spec", "listeners")
	for _, item := range listeners {
		listener, _ := item.(map[string]any)
		r.TLS = r.TLS || listener["protocol"] == "HTTPS"
	}
}

// url returns what to open, "" while there is no address.
func (r Route) url() string {
	host := r.Host
	if host == "" {
		host = r.At
	}
	if r.At == "" {
		return ""
	}
	if r.TLS {
		return urlFor(host, 443, true)
	}
	return urlFor(host, 80, false)
}
