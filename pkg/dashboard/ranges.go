package dashboard

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
)

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
