package azure

import (
	"fmt"
	"net/netip"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
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
	for _, one := range prefixes {
		prefix, err := netip.ParsePrefix(one)
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
	first, most := nodeCounts(o)
	if o.Private { // its endpoint is in the subnet as well
		first, most = first+1, most+1
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

// nodeCIDR is the size of the range for pods that each node takes with Azure CNI Overlay. It holds maxPods addresses.
const nodeCIDR = 24

// checkPods holds the range of pod addresses against all nodes that there may be. With the overlay, pods take no addresses of a
// subnet.
func checkPods(o Options, _ *Facts) Result {
	pods := netip.MustParsePrefix(podCIDR)
	room := int64(1) << (nodeCIDR - pods.Bits())
	_, most := nodeCounts(o)
	r := Result{Name: "pod addresses", Detail: fmt.Sprintf("%s holds %s with %d pods each", pods, text.Plural(int(room), "node"), maxPods)}
	if most > room {
		r.fail("Choose fewer nodes with --nodes and --gpu", "the pools may have %s with those that upgrades add, and the addresses for pods, %s, suffice for %d: each node takes a /%d",
			text.Plural(int(most), "node"), pods, room, nodeCIDR)
	}
	return r
}

// nodeCounts returns how many nodes there are at once, and when all pools have grown, each with those that upgrades add.
func nodeCounts(o Options) (first, most int64) {
	for _, p := range poolsOf(o) {
		first, most = first+int64(p.Nodes.Min), most+int64(p.Nodes.Max)
		if !p.spot { // spot pools have no surge
			first, most = first+surgeOf(int64(p.Nodes.Min)), most+surgeOf(int64(p.Nodes.Max))
		}
	}
	return first, most
}
