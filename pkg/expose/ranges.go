package expose

import (
	"fmt"
	"net/netip"
	"strings"
)

// ParseRanges parses CIDRs; a plain address is a range of one.
// The result is in the form that Kubernetes and Azure accept: with the network address.
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
