package expose

import (
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Reach says who can connect to an address.
type Reach string

// From the widest to the narrowest.
const (
	Public     Reach = "public"     // anybody on the internet
	Restricted Reach = "restricted" // the source ranges alone
	Internal   Reach = "internal"   // the virtual network
	InCluster  Reach = "cluster"    // the cluster's own network
	Local      Reach = "local"      // this computer, while a command runs
)

// limitAnnotations are the other ways in which one can say who may connect.
var limitAnnotations = []string{
	"service.beta.kubernetes.io/load-balancer-source-ranges",
	"service.beta.kubernetes.io/azure-allowed-ip-ranges",
	"service.beta.kubernetes.io/azure-allowed-service-tags",
}

// reachOf tells who could connect to a Service's address.
func reachOf(s *corev1.Service) Reach {
	switch s.Spec.Type {
	case corev1.ServiceTypeLoadBalancer:
	case corev1.ServiceTypeNodePort:
		return Internal
	default:
		return InCluster
	}
	if internal(s) {
		return Internal
	}
	ranges := s.Spec.LoadBalancerSourceRanges
	for _, key := range limitAnnotations {
		if value := s.Annotations[key]; value != "" {
			ranges = append(ranges[:len(ranges):len(ranges)], strings.Split(value, ",")...)
		}
	}
	if len(ranges) == 0 {
		return Public
	}
	for _, r := range ranges {
		if wide(r) {
			return Public
		}
	}
	return Restricted
}

func internal(s *corev1.Service) bool {
	return strings.EqualFold(s.Annotations[internalAnnotation], "true")
}

// wide tells whether a range holds so much of the internet that it is no limit. Two halves (0.0.0.0/1 and 128.0.0.0/1) are the whole as well.
func wide(cidr string) bool {
	prefix, err := netip.ParsePrefix(strings.TrimSpace(cidr))
	return err == nil && prefix.Bits() < 4
}

// ParseRanges reads CIDRs as a user types them; a bare address is that address alone.
// The result is in the form that Kubernetes and Azure take: the network's first address.
func ParseRanges(typed []string) ([]string, error) {
	ranges := []string{}
	for _, one := range typed {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(one)
		if err != nil {
			address, err := netip.ParseAddr(one)
			if err != nil || address.Zone() != "" {
				return nil, fmt.Errorf("%q is not a range of addresses", one)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		ranges = append(ranges, prefix.Masked().String())
	}
	return ranges, nil
}
