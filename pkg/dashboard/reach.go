package dashboard

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Reach is who can connect to an address.
type Reach string

// From the widest to the narrowest.
const (
	Public     Reach = "public"     // the whole internet
	Restricted Reach = "restricted" // only the source ranges
	Internal   Reach = "internal"   // the virtual network
	InCluster  Reach = "cluster"    // the cluster's own network
	Local      Reach = "local"      // this computer, while a command runs
)

// What AKS reads from a Service of type LoadBalancer
// (https://learn.microsoft.com/azure/aks/load-balancer-standard).
const (
	InternalAnnotation = "service.beta.kubernetes.io/azure-load-balancer-internal"
	DNSLabelAnnotation = "service.beta.kubernetes.io/azure-dns-label-name"
	RangesAnnotation   = "service.beta.kubernetes.io/azure-allowed-ip-ranges"
	TagsAnnotation     = "service.beta.kubernetes.io/azure-allowed-service-tags"
	sourcesAnnotation  = "service.beta.kubernetes.io/load-balancer-source-ranges" // Kubernetes' own, before the field
)

// HostAnnotation keeps the DNS name of the dashboard, for the next run and for showing the URL.
const HostAnnotation = "kubectl-kubeflow/host"

// ReachOf tells who can connect to a Service's address. If it is public although it has limits, open is the reason.
func ReachOf(s *corev1.Service) (reach Reach, open string) {
	switch s.Spec.Type {
	case corev1.ServiceTypeLoadBalancer:
	case corev1.ServiceTypeNodePort:
		return Internal, ""
	default:
		return InCluster, ""
	}
	if IsInternal(s) {
		return Internal, ""
	}
	ranges := slices.Concat(s.Spec.LoadBalancerSourceRanges, splitList(s.Annotations[sourcesAnnotation]), splitList(s.Annotations[RangesAnnotation]))
	tags := splitList(s.Annotations[TagsAnnotation])
	if len(ranges)+len(tags) == 0 {
		return Public, ""
	}
	if open := unlimited(ranges, tags); open != "" {
		return Public, open
	}
	return Restricted, ""
}

// IsInternal reports whether a load balancer's address is one of the virtual network. Azure's cloud provider compares with exactly "true".
func IsInternal(s *corev1.Service) bool { return s.Annotations[InternalAnnotation] == "true" }

// unlimited returns why the source ranges are not a limit; "" when they are. Azure allows what any of the lists allows.
func unlimited(ranges, tags []string) string {
	for _, tag := range tags {
		if tag == "*" || strings.EqualFold(tag, "Internet") {
			return "service tag " + tag + " is the whole internet"
		}
	}
	var prefixes []netip.Prefix
	for _, r := range ranges {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(r))
		if err != nil {
			return fmt.Sprintf("source range %q is invalid", r)
		}
		prefixes = append(prefixes, prefix)
	}
	if v4, v6 := coverage(prefixes); max(v4, v6) >= wide {
		return "the source ranges " + strings.Join(ranges, ", ") + " are most of the internet"
	}
	return ""
}

// wide is the share of all addresses from which on source ranges count as unlimited.
const wide = 1.0 / 8

// coverage returns which share of all IPv4 and all IPv6 addresses some prefixes cover together.
func coverage(prefixes []netip.Prefix) (v4, v6 float64) {
	var distinct []netip.Prefix
	for _, p := range prefixes {
		if p.Addr().Is4In6() { // an IPv4 range in IPv6's notation
			p = netip.PrefixFrom(p.Addr().Unmap(), max(p.Bits()-96, 0))
		}
		distinct = append(distinct, p.Masked())
	}
	slices.SortFunc(distinct, func(a, b netip.Prefix) int { return a.Bits() - b.Bits() })
	for i, p := range distinct {
		if slices.ContainsFunc(distinct[:i], func(q netip.Prefix) bool { return q.Contains(p.Addr()) }) {
			continue // within a larger one
		}
		share := math.Exp2(-float64(p.Bits()))
		if p.Addr().Is4() {
			v4 += share
		} else {
			v6 += share
		}
	}
	return v4, v6
}

func splitList(value string) []string {
	return slices.DeleteFunc(strings.Split(value, ","), func(s string) bool { return strings.TrimSpace(s) == "" })
}
