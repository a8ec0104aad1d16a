package loadbalancer

import (
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/netpolicy"
)

// A Verdict is the outcome for a connection.
type Verdict int

// Dropped connections hang, refused connections end at once.
const (
	Admitted Verdict = iota
	Dropped
	Refused
)

// A state is the input for a verdict: the Service, its ready pods, and the
// enforced NetworkPolicies (none without a network policy engine).
type state struct {
	service  *corev1.Service
	pods     []*corev1.Pod
	policies []*networking.NetworkPolicy
	listens  func(*corev1.Pod, int32) bool
}

// open reports whether anything listens behind a port of the Service, and where.
func (s state) open(port corev1.ServicePort) (*corev1.Pod, int32, bool) {
	for _, pod := range s.pods {
		if target := targetPort(port, pod); target != 0 && s.listens(pod, target) {
			return pod, target, true
		}
	}
	return nil, 0, false
}

func (s state) admit(port corev1.ServicePort, source netip.Addr) (Verdict, *corev1.Pod, int32) {
	if !inRanges(sourceRanges(s.service), source) {
		return Dropped, nil, 0
	}
	pod, target, ok := s.open(port)
	if !ok {
		return Refused, nil, 0
	}
	if !netpolicy.AdmitsOutside(s.policies, pod, target, source) {
		return Dropped, nil, 0
	}
	return Admitted, pod, target
}

// targetPort returns the container port of a pod behind a Service port, 0 if a
// named port does not exist.
func targetPort(port corev1.ServicePort, pod *corev1.Pod) int32 {
	switch {
	case port.TargetPort.Type == intstr.Int && port.TargetPort.IntVal == 0:
		return port.Port
	case port.TargetPort.Type == intstr.Int:
		return port.TargetPort.IntVal
	}
	for i := range pod.Spec.Containers {
		for _, p := range pod.Spec.Containers[i].Ports {
			if p.Name == port.TargetPort.StrVal {
				return p.ContainerPort
			}
		}
	}
	return 0
}

// sourceRanges returns the client ranges that a Service admits, from its field
// or from one of Azure's annotations.
func sourceRanges(service *corev1.Service) []string {
	ranges := append([]string(nil), service.Spec.LoadBalancerSourceRanges...)
	for _, key := range []string{
		"service.beta.kubernetes.io/load-balancer-source-ranges",
		"service.beta.kubernetes.io/azure-allowed-ip-ranges",
	} {
		for _, text := range strings.Split(service.Annotations[key], ",") {
			if text = strings.TrimSpace(text); text != "" {
				ranges = append(ranges, text)
			}
		}
	}
	return ranges
}

func inRanges(ranges []string, source netip.Addr) bool {
	for _, text := range ranges {
		if prefix, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil && prefix.Contains(source.Unmap()) {
			return true
		}
	}
	return len(ranges) == 0
}
