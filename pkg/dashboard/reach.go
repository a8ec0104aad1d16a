package dashboard

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Reach is who can connect to an address.
type Reach string

// From the widest to the narrowest.
const (
	Public     Reach = "public"     // the whole internet, or nothing proves that it is less
	Restricted Reach = "restricted" // only the source ranges
	Internal   Reach = "internal"   // the virtual network
	InCluster  Reach = "cluster"    // the cluster's own network
	Local      Reach = "local"      // this computer, while a command runs
)

// ReachOf tells who can connect to a Service. An address is less than public only if everything that decides its reach is
// understood and narrow. If it is public although it has limits, open is the reason.
func ReachOf(s *corev1.Service) (reach Reach, open string) {
	reach = InCluster
	switch s.Spec.Type {
	case corev1.ServiceTypeLoadBalancer:
		reach, open = balancerReach(s)
	case corev1.ServiceTypeNodePort:
		reach = Internal
	}
	for _, address := range s.Spec.ExternalIPs {
		if !private(address) {
			return Public, fmt.Sprintf("external IP %s is a public address, and source ranges do not limit it", address)
		}
		if reach == InCluster {
			reach = Internal
		}
	}
	return reach, open
}

// balancerReach tells who can connect to the address of a load balancer.
func balancerReach(s *corev1.Service) (reach Reach, open string) {
	setting, annotated := s.Annotations[InternalAnnotation]
	ranged := len(s.Spec.LoadBalancerSourceRanges) > 0 || hasLimit(s)
	switch {
	case IsInternal(s):
		reach, open = Internal, notInternal(s)
	case ranged:
		reach, open = Restricted, unlimited(s)
	case annotated && setting != "false":
		return Public, fmt.Sprintf("annotation %s is %q, and Azure's cloud provider takes only \"true\"", InternalAnnotation, setting)
	default:
		return Public, ""
	}
	if class := s.Spec.LoadBalancerClass; class != nil {
		open = fmt.Sprintf("its load balancer is of class %s, which Azure's cloud provider does not manage", *class)
	}
	if key, why := widening(s.Annotations); key != "" {
		open = fmt.Sprintf("annotation %s %s", key, why)
	}
	if open != "" {
		return Public, open
	}
	return reach, ""
}

// IsInternal reports whether a load balancer's address is requested in the virtual network. Azure's cloud provider compares with exactly "true".
func IsInternal(s *corev1.Service) bool { return s.Annotations[InternalAnnotation] == "true" }

// notInternal returns which address contradicts that a load balancer is internal; "" when none does.
func notInternal(s *corev1.Service) string {
	for _, given := range s.Status.LoadBalancer.Ingress {
		if given.IP == "" || !private(given.IP) {
			return fmt.Sprintf("its address %s is a public one, although it is annotated as internal", given.IP+given.Hostname)
		}
	}
	for _, asked := range []string{s.Spec.LoadBalancerIP, s.Annotations[azurePrefix+"load-balancer-ipv4"], s.Annotations[azurePrefix+"load-balancer-ipv6"]} { //nolint:staticcheck // AKS still reads the field
		if asked != "" && !private(asked) {
			return fmt.Sprintf("the requested address %s is a public one, although it is annotated as internal", asked)
		}
	}
	return ""
}

// unlimited returns why the source ranges of a Service are not a limit; "" when they are.
func unlimited(s *corev1.Service) string {
	ranges := slices.Concat(s.Spec.LoadBalancerSourceRanges, listOf(s, sourcesAnnotation), listOf(s, RangesAnnotation))
	tags := listOf(s, TagsAnnotation)
	if len(s.Spec.LoadBalancerSourceRanges) > 0 && len(ranges) > len(s.Spec.LoadBalancerSourceRanges) {
		return "source ranges are set in the field and in an annotation: Azure refuses that and keeps the rules that it had"
	}
	for _, tag := range tags {
		if !narrowTags[tag] {
			return fmt.Sprintf("service tag %s admits addresses that are not yours alone", tag)
		}
	}
	prefixes, open := parseRanges(ranges)
	if open != "" {
		return open
	}
	if open := large(prefixes); open != "" {
		return open
	}
	return unlimitedFamily(s, prefixes, len(tags) > 0)
}

// unlimitedFamily names the address family of a Service that no range limits.
func unlimitedFamily(s *corev1.Service, prefixes []netip.Prefix, tagged bool) string {
	families := slices.Clone(s.Spec.IPFamilies)
	if policy := s.Spec.IPFamilyPolicy; policy != nil && *policy != corev1.IPFamilyPolicySingleStack {
		families = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	}
	for _, given := range s.Status.LoadBalancer.Ingress {
		if address, err := netip.ParseAddr(given.IP); err == nil {
			families = append(families, familyOf(address))
		}
	}
	for _, family := range families {
		if !tagged && !slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return familyOf(p.Addr()) == family }) {
			return fmt.Sprintf("no source range limits its %s address", family)
		}
	}
	return ""
}

func familyOf(address netip.Addr) corev1.IPFamily {
	if address.Unmap().Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}
