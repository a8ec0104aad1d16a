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

// privateRanges hold the addresses that do not exist on the internet.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}

// private reports whether an address does not exist on the internet. What is not an address is not private.
func private(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && privatePrefix(netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
}

func privatePrefix(p netip.Prefix) bool {
	return slices.ContainsFunc(privateRanges, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) })
}

// The most of the internet that source ranges may admit together: a /10 of IPv4 (four million addresses) or a /28 of IPv6. The
// networks of a company, a university or a content delivery network fit; the /8 of a cloud, where anyone can rent an address,
// does not.
const (
	most4 = 10
	most6 = 28
)

// large returns that prefixes admit more than a small part of the internet together; "" when they do not.
func large(prefixes []netip.Prefix) string {
	var public []netip.Prefix
	for _, p := range prefixes {
		if p = plain(p); !privatePrefix(p) {
			public = append(public, p)
		}
	}
	v4, v6 := coverage(public)
	switch {
	case v4 > math.Exp2(-most4):
		return fmt.Sprintf("the source ranges %s admit too much of the internet: together more than a /%d", some(prefixes), most4)
	case v6 > math.Exp2(-most6):
		return fmt.Sprintf("the source ranges %s admit too much of the internet: together more than a /%d of IPv6", some(prefixes), most6)
	}
	return ""
}

// some names the first prefixes.
func some(prefixes []netip.Prefix) string {
	const shown = 4
	var names []string
	for _, p := range prefixes[:min(shown, len(prefixes))] {
		names = append(names, p.String())
	}
	if more := len(prefixes) - shown; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// parseRanges parses source ranges. One that is none is reported, because the cloud provider's answer to it depends on its version.
func parseRanges(ranges []string) (prefixes []netip.Prefix, invalid string) {
	for _, r := range ranges {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(r))
		if err != nil {
			return nil, fmt.Sprintf("source range %q is invalid", r)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, ""
}

// mapped holds all of IPv4 in IPv6's notation.
var mapped = netip.MustParsePrefix("::ffff:0:0/96")

// plain returns an IPv4 range in IPv6's notation as an IPv4 range. One that holds all of them is all of IPv4.
func plain(p netip.Prefix) netip.Prefix {
	switch {
	case p.Addr().Is4():
	case p.Bits() <= mapped.Bits() && p.Contains(mapped.Addr()):
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	case p.Addr().Is4In6():
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped.Bits()).Masked()
	}
	return p.Masked()
}

// coverage returns which share of all IPv4 and all IPv6 addresses some prefixes cover together.
func coverage(prefixes []netip.Prefix) (v4, v6 float64) {
	distinct := slices.Clone(prefixes)
	for i, p := range distinct {
		if p = p.Masked(); p.Addr().Is4In6() {
			p = netip.PrefixFrom(p.Addr().Unmap(), max(p.Bits()-mapped.Bits(), 0)).Masked()
		}
		distinct[i] = p
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
