package expose

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// blocked returns which of the gateway's ports no visitor from outside may reach, by the NetworkPolicies of its namespace.
// Policies only ever add: pods that none selects are open, and what any of them allows is allowed.
func blocked(rules []networkingv1.NetworkPolicy, pod labels.Set, ports []Port) []Port {
	var selecting []networkingv1.NetworkPolicy
	for _, p := range rules {
		if isolates(p, pod) {
			selecting = append(selecting, p)
		}
	}
	if len(selecting) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(ports), func(port Port) bool {
		return slices.ContainsFunc(selecting, func(p networkingv1.NetworkPolicy) bool { return letsIn(p, port) })
	})
}

// A Port is a port of the gateway's pods, by number and, where its Service names it, by name.
type Port struct {
	Number int32
	Name   string
}

func isolates(p networkingv1.NetworkPolicy, pod labels.Set) bool {
	selector, err := metav1.LabelSelectorAsSelector(&p.Spec.PodSelector)
	if err != nil || !selector.Matches(pod) {
		return false
	}
	// Without policyTypes every policy is about ingress.
	return len(p.Spec.PolicyTypes) == 0 || slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress)
}

func letsIn(p networkingv1.NetworkPolicy, port Port) bool {
	for _, rule := range p.Spec.Ingress {
		anybody := len(rule.From) == 0 || slices.ContainsFunc(rule.From, fromAnywhere)
		if anybody && (len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports, func(r networkingv1.NetworkPolicyPort) bool { return covers(r, port) })) {
			return true
		}
	}
	return false
}

// fromAnywhere tells whether a peer is the whole internet. Pods and namespaces are not, nor is a range with exceptions:
// the load balancer's traffic comes from the nodes' own addresses, and an exception may hold them.
func fromAnywhere(peer networkingv1.NetworkPolicyPeer) bool {
	return peer.IPBlock != nil && len(peer.IPBlock.Except) == 0 && (peer.IPBlock.CIDR == "0.0.0.0/0" || peer.IPBlock.CIDR == "::/0")
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
