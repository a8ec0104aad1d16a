package azure

import (
	"fmt"
	"net/netip"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// kept is how many addresses of a subnet Azure keeps for itself.
const kept = 5

// checkSubnet holds the subnet of the nodes against their number, and against the other addresses of the cluster.
func checkSubnet(o Options, f *Facts) Result {
	r := Result{Name: "subnet"}
	if f.Subnet == nil {
		return r
	}
	prefixes := f.Subnet.Properties.Prefixes
	if len(prefixes) == 0 {
		prefixes = []string{f.Subnet.Properties.Prefix}
	}
	free := -int64(kept) - int64(len(f.Subnet.Properties.Used))
	services, _ := o.services() // is valid
	for _, text := range prefixes {
		prefix, err := netip.ParsePrefix(text)
		if err != nil || !prefix.Addr().Is4() {
			continue // nodes have an IPv4 address
		}
		free += int64(1) << (32 - prefix.Bits())
		for what, other := range map[string]netip.Prefix{"Services, --service-cidr": services, "pods": netip.MustParsePrefix(podCIDR)} {
			if prefix.Overlaps(other) {
				r.fail("Choose another subnet, or for Services another range: --service-cidr 172.16.0.0/16", "the subnet %s overlaps the addresses of %s %s (ServiceCidrOverlapExistingSubnetsCidr)", prefix, what, other)
			}
		}
	}
	var first, most int64
	for _, p := range poolsOf(o) {
		first += int64(p.Nodes.Min) + surgeOf(int64(p.Nodes.Min))
		most += int64(p.Nodes.Max) + surgeOf(int64(p.Nodes.Max))
	}
	r.Detail = fmt.Sprintf("%d addresses free", max(0, free))
	switch {
	case free < first:
		r.fail("Choose a larger subnet, or fewer --nodes", "the subnet %s has %d addresses free, and the nodes need %d with those that upgrades add (InsufficientSubnetSize)", escape.Line(o.Subnet), max(0, free), first)
	case free < most:
		r.Warnings = append(r.Warnings, fmt.Sprintf("The subnet has %d addresses free, and %d are needed when all pools have grown", free, most))
	}
	return r
}
