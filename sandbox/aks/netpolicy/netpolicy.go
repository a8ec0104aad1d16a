package netpolicy

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// AdmitsOutside reports whether these policies, all from the pod's namespace,
// allow a client outside the cluster to reach a TCP port of the pod.
func AdmitsOutside(policies []*networking.NetworkPolicy, pod *corev1.Pod, port int32, source netip.Addr) bool {
	isolated := false
	for _, policy := range policies {
		if !selects(policy, pod) {
			continue
		}
		isolated = true
		for _, rule := range policy.Spec.Ingress {
			if onPort(rule.Ports, pod, port) && from(rule.From, source) {
				return true
			}
		}
	}
	return !isolated
}

func selects(policy *networking.NetworkPolicy, pod *corev1.Pod) bool {
	types := policy.Spec.PolicyTypes
	if len(types) > 0 && !slices.Contains(types, networking.PolicyTypeIngress) {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
	return err == nil && policy.Namespace == pod.Namespace && selector.Matches(labels.Set(pod.Labels))
}

func onPort(ports []networking.NetworkPolicyPort, pod *corev1.Pod, port int32) bool {
	if len(ports) == 0 {
		return true
	}
	for _, p := range ports {
		if p.Protocol != nil && *p.Protocol != corev1.ProtocolTCP {
			continue
		}
		if p.Port == nil {
			return true
		}
		low := number(*p.Port, pod)
		high := low
		if p.EndPort != nil {
			high = *p.EndPort
		}
		if low != 0 && low <= port && port <= high {
			return true
		}
	}
	return false
}

func number(port intstr.IntOrString, pod *corev1.Pod) int32 {
	if port.Type == intstr.Int {
		return port.IntVal
	}
	for i := range pod.Spec.Containers {
		for _, p := range pod.Spec.Containers[i].Ports {
			if p.Name == port.StrVal {
				return p.ContainerPort
			}
		}
	}
	return 0
}

// from: a rule without peers admits all clients; pod and namespace selectors never
// match a client outside the cluster.
func from(peers []networking.NetworkPolicyPeer, source netip.Addr) bool {
	if len(peers) == 0 {
		return true
	}
	for _, peer := range peers {
		if peer.IPBlock == nil || !within(peer.IPBlock.CIDR, source) {
			continue
		}
		if !slices.ContainsFunc(peer.IPBlock.Except, func(cidr string) bool { return within(cidr, source) }) {
			return true
		}
	}
	return false
}

func within(cidr string, source netip.Addr) bool {
	prefix, err := netip.ParsePrefix(cidr)
	return err == nil && prefix.Contains(source.Unmap())
}
