package expose

import (
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// AllowName is the NetworkPolicy that lets visitors through to the gateway where others keep them out.
const AllowName = "kubectl-kubeflow-allow-ingressgateway"

func allowRef(namespace string) cluster.Ref {
	return cluster.Ref{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy", Namespace: namespace, Name: AllowName}
}

// allowVisitors returns the change that lets visitors through to the gateway's ports, nil where nothing keeps them out.
// It looks past our own policy: while another one blocks, ours has to stay as it is written here.
func allowVisitors(t Target) *cluster.Change {
	var others []networkingv1.NetworkPolicy
	for _, p := range t.Policies {
		if p.Name != AllowName {
			others = append(others, p)
		}
	}
	if len(blocked(others, t.labels(), t.servedPorts())) == 0 {
		return nil
	}
	wanted := t.allowing()
	if t.allow == nil {
		return &cluster.Change{Verb: cluster.Apply, After: wanted}
	}
	change := cluster.Edit(t.allow, func(o *unstructured.Unstructured) {
		o.Object["spec"] = wanted.Object["spec"]
	})
	if cluster.Diff(change.Before, change.After) == "" {
		return nil
	}
	return &change
}

// allowing returns the policy. It names no source on purpose: behind the load balancer visitors come from the nodes' addresses,
// which an ipBlock cannot name on every engine; source ranges on the Service are what limits them.
func (t Target) allowing() *unstructured.Unstructured {
	var ports []any
	for _, p := range t.openPorts() {
		ports = append(ports, map[string]any{"port": int64(p.Number), "protocol": "TCP"})
	}
	selector := map[string]any{}
	for key, value := range t.Service.Spec.Selector {
		selector[key] = value
	}
	o := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"podSelector": map[string]any{"matchLabels": selector},
			"policyTypes": []any{"Ingress"},
			"ingress":     []any{map[string]any{"ports": ports}},
		},
	}}
	ref := allowRef(t.Namespace())
	o.SetAPIVersion(ref.APIVersion)
	o.SetKind(ref.Kind)
	o.SetNamespace(ref.Namespace)
	o.SetName(ref.Name)
	o.SetLabels(marks)
	return o
}

// servedPorts returns the ports of the pods that the dashboard is served on.
func (t Target) servedPorts() []Port {
	var ports []Port
	for _, l := range t.Listeners {
		ports = append(ports, t.port(l.Target))
	}
	return ports
}

// openPorts returns the ports to let visitors through to: where the gateway serves or could serve web pages,
// and where the load balancer may ask whether it is well.
func (t Target) openPorts() []Port {
	var ports []Port
	for _, number := range []int32{80, 443, 15021, 15020} {
		if p := portOf(t.Service, number); p != nil {
			ports = append(ports, t.port(targetOf(p)))
		}
	}
	for _, served := range t.servedPorts() {
		known := false
		for _, p := range ports {
			known = known || p.Number == served.Number
		}
		if !known {
			ports = append(ports, served)
		}
	}
	return ports
}

func (t Target) port(target intstr.IntOrString) Port {
	p := Port{Number: t.number(target)}
	if target.Type == intstr.String {
		p.Name = target.StrVal
		return p
	}
	for _, pod := range t.Pods {
		for _, c := range pod.Spec.Containers {
			for _, named := range c.Ports {
				if named.ContainerPort == p.Number && named.Name != "" {
					p.Name = named.Name
				}
			}
		}
	}
	return p
}
