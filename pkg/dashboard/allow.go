package dashboard

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// AllowName is the NetworkPolicy that admits clients from outside to the gateway if others block them.
const AllowName = "kubectl-kubeflow-allow-ingressgateway"

// AllowRef names that NetworkPolicy in the gateway's namespace.
func AllowRef(namespace string) cluster.Ref {
	return cluster.Ref{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy", Namespace: namespace, Name: AllowName}
}

// Allow returns the change that admits clients from outside to the gateway's ports, nil if nothing blocks them. current is the
// NetworkPolicy named AllowName, nil when there is none. It ignores that one: while another one blocks clients, it has to stay.
func (d Dashboard) Allow(current *unstructured.Unstructured) *cluster.Change {
	others := slices.DeleteFunc(slices.Clone(d.Policies), func(p networkingv1.NetworkPolicy) bool { return p.Name == AllowName })
	if len(blockedPorts(others, d.Labels(), d.ServedPorts(), d.Service.Spec.IPFamilies)) == 0 {
		return nil
	}
	wanted := d.allowPolicy()
	if current == nil {
		return &cluster.Change{Verb: cluster.Apply, After: wanted}
	}
	change := cluster.Edit(current, func(o *unstructured.Unstructured) {
		o.Object["spec"] = wanted.Object["spec"]
	})
	if cluster.Diff(change.Before, change.After) == "" {
		return nil
	}
	return &change
}

// allowPolicy returns the policy. It names no source on purpose: behind the load balancer requests come from the nodes' addresses,
// which an ipBlock cannot name on every engine; source ranges on the Service limit the clients.
func (g Gateway) allowPolicy() *unstructured.Unstructured {
	var ports []any
	for _, p := range g.openPorts() {
		var port any = int64(p.Number)
		if p.Number == 0 { // no pod declares the number of this name yet
			port = p.Name
		}
		ports = append(ports, map[string]any{"port": port, "protocol": "TCP"})
	}
	selector := map[string]any{}
	for key, value := range g.Service.Spec.Selector {
		selector[key] = value
	}
	o := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"podSelector": map[string]any{"matchLabels": selector},
			"policyTypes": []any{"Ingress"},
			"ingress":     []any{map[string]any{"ports": ports}},
		},
	}}
	ref := AllowRef(g.Namespace())
	o.SetAPIVersion(ref.APIVersion)
	o.SetKind(ref.Kind)
	o.SetNamespace(ref.Namespace)
	o.SetName(ref.Name)
	o.SetLabels(ManagedLabels)
	return o
}

// openPorts returns the ports to open to the outside: those that serve or could serve pages, and those of the load
// balancer's health probe.
func (g Gateway) openPorts() []Port {
	var ports []Port
	for _, number := range []int32{80, 443, 15021, 15020} {
		if p := PortOf(g.Service, number); p != nil {
			ports = append(ports, g.PortAt(TargetOf(p)))
		}
	}
	for _, served := range g.ServedPorts() {
		if !slices.ContainsFunc(ports, served.is) {
			ports = append(ports, served)
		}
	}
	return ports
}
