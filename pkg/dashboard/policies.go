package dashboard

import (
	"context"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Network is what decides which packets reach the gateway's pods.
type Network struct {
	Policies     []networkingv1.NetworkPolicy // those of the gateway's namespace
	Engine       string                       // what enforces them here: "Calico"; "" when no known engine is installed
	EngineUnread error                        // why Engine could not be read
}

// ReadNetwork reads the NetworkPolicies of the gateway's namespace, and what enforces them.
func (g Gateway) ReadNetwork(ctx context.Context, view cluster.View) (n Network, err error) {
	if n.Policies, err = listed[networkingv1.NetworkPolicy](ctx, view, kube.NetworkPolicyKind, cluster.Scope{Namespace: g.Namespace()}); err != nil {
		return n, err
	}
	n.Engine, n.EngineUnread = cluster.PolicyEngine(ctx, view)
	return n, nil
}

// Closed returns the ports of the dashboard that NetworkPolicies close to the outside, whether anything enforces them or not.
func (d Dashboard) Closed() []Port {
	return blockedPorts(d.Policies, d.Labels(), d.ServedPorts(), d.Service.Spec.IPFamilies)
}

// Blocked returns the ports of the dashboard that NetworkPolicies close to the outside and that their engine blocks.
func (d Dashboard) Blocked() []Port {
	if d.Engine == "" {
		return nil
	}
	return d.Closed()
}

// ClosingPolicy names the last of the NetworkPolicies that restrict what reaches the gateway's pods; the zero Ref when none does.
func (d Dashboard) ClosingPolicy() cluster.Ref {
	all := isolating(d.Policies, d.Labels())
	if len(all) == 0 {
		return cluster.Ref{}
	}
	p := all[len(all)-1]
	return cluster.Ref{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy", Namespace: p.Namespace, Name: p.Name}
}

func isolating(rules []networkingv1.NetworkPolicy, pod labels.Set) []networkingv1.NetworkPolicy {
	return slices.DeleteFunc(slices.Clone(rules), func(p networkingv1.NetworkPolicy) bool { return !isolates(p, pod) })
}

// blockedPorts returns which of the gateway's ports the outside may not reach. NetworkPolicies only ever add: pods that none selects
// are open, and what any of them allows is allowed.
func blockedPorts(rules []networkingv1.NetworkPolicy, pod labels.Set, ports []Port, families []corev1.IPFamily) []Port {
	selecting := isolating(rules, pod)
	if len(selecting) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(ports), func(port Port) bool {
		return slices.ContainsFunc(selecting, func(p networkingv1.NetworkPolicy) bool { return admits(p, port, families) })
	})
}

func isolates(p networkingv1.NetworkPolicy, pod labels.Set) bool {
	selector, err := metav1.LabelSelectorAsSelector(&p.Spec.PodSelector)
	if err != nil || !selector.Matches(pod) {
		return false
	}
	// Without policyTypes every policy is about ingress.
	return len(p.Spec.PolicyTypes) == 0 || slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress)
}

func admits(p networkingv1.NetworkPolicy, port Port, families []corev1.IPFamily) bool {
	for _, rule := range p.Spec.Ingress {
		if fromAnywhere(rule.From, families) &&
			(len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports, func(r networkingv1.NetworkPolicyPort) bool { return covers(r, port) })) {
			return true
		}
	}
	return false
}

// fromAnywhere reports whether a rule's peers are all addresses of one of the gateway's families, in one block or several. Pods and
// namespaces are no outside, nor is a block with exceptions: a load balancer's packets come from the nodes' own addresses, and an
// exception may hold them.
func fromAnywhere(peers []networkingv1.NetworkPolicyPeer, families []corev1.IPFamily) bool {
	if len(peers) == 0 {
		return true
	}
	var blocks []netip.Prefix
	for _, peer := range peers {
		if peer.IPBlock == nil || len(peer.IPBlock.Except) > 0 {
			continue
		}
		if block, err := netip.ParsePrefix(peer.IPBlock.CIDR); err == nil {
			blocks = append(blocks, block)
		}
	}
	v4, v6 := coverage(blocks)
	has := func(family corev1.IPFamily) bool { return len(families) == 0 || slices.Contains(families, family) }
	return v4 >= 1 && has(corev1.IPv4Protocol) || v6 >= 1 && has(corev1.IPv6Protocol)
}

func covers(rule networkingv1.NetworkPolicyPort, port Port) bool {
	if rule.Protocol != nil && *rule.Protocol != corev1.ProtocolTCP {
		return false
	}
	switch {
	case rule.Port == nil:
		return true
	case rule.Port.Type == intstr.String:
		return rule.Port.StrVal == port.Name
	case rule.EndPort != nil:
		return port.Number >= rule.Port.IntVal && port.Number <= *rule.EndPort
	}
	return rule.Port.IntVal == port.Number
}

// ClosedPorts returns which ports of a pod NetworkPolicies of its namespace close to clients that are no pods, such as nodes and the API server.
func ClosedPorts(policies []networkingv1.NetworkPolicy, pod labels.Set, ports ...Port) []Port {
	return blockedPorts(policies, pod, ports, nil)
}

// Admits reports whether a policy would let clients that are no pods reach a port, if it selected the pod.
func Admits(p networkingv1.NetworkPolicy, port Port) bool { return admits(p, port, nil) }
