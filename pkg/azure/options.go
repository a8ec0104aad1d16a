package azure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// Options are what a user says about a new cluster. Everything else has a default, which the Request shows.
type Options struct {
	Subscription  string `json:"-"` // the ID
	Name          string `json:"name"`
	ResourceGroup string `json:"resourceGroup"`
	Location      string `json:"location"`

	Release           release.Release `json:"-"` // decides the Kubernetes version
	KubernetesVersion string          `json:"-"` // "1.35" or "1.35.4"; empty before it is chosen

	NodeSize    string            `json:"nodeSize"`
	Nodes       Range             `json:"nodes"`
	GPU         *Pool             `json:"gpu,omitempty"`
	Spot        bool              `json:"spot,omitempty"` // the GPU pool uses spot virtual machines
	Private     bool              `json:"private,omitempty"`
	Zones       []string          `json:"zones,omitempty"`
	Subnet      string            `json:"subnet,omitempty"` // the resource ID
	ServiceCIDR string            `json:"serviceCIDR"`
	Tags        map[string]string `json:"tags,omitempty"`

	NoRoleAssignment bool `json:"noRoleAssignment,omitempty"` // leave the permissions in the cluster to others
}

// The defaults. How many nodes of this size there are follows from what the release requests.
const (
	DefaultNodeSize    = "Standard_D4s_v5"
	DefaultServiceCIDR = "10.0.0.0/16"
	podCIDR            = "10.244.0.0/16"
)

// DefaultGPUNodes is the size of a pool for GPUs.
var DefaultGPUNodes = Range{Min: 0, Max: 2}

// The tags by which a cluster or a resource group is known as this program's, and the options it was created with.
const (
	CreatedBy  = "created-by"
	Program    = "kubectl-kubeflow"
	optionsTag = "kubectl-kubeflow-options"
)

var (
	validName     = regexp.MustCompile(`^[a-zA-Z0-9]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$`)
	validGroup    = regexp.MustCompile(`^[-\w.()]{0,89}[-\w()]$`)
	validLocation = regexp.MustCompile(`^[a-z0-9]{3,40}$`)
	validSize     = regexp.MustCompile(`^[A-Za-z]+_[A-Za-z0-9_-]{1,60}$`)
	validID       = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	validVersion  = regexp.MustCompile(`^1\.\d{2}(\.\d{1,2})?$`)
	validSubnet   = regexp.MustCompile(`(?i)^/subscriptions/[-0-9a-f]{36}/resourceGroups/[-\w.()]+/providers/Microsoft\.Network/virtualNetworks/[-\w.]+/subnets/[-\w.]+$`)
)

// A Range is how many nodes a pool has. The cluster autoscaler changes the number between two that differ.
type Range struct {
	Min int32 `json:"min"`
	Max int32 `json:"max"`
}

// Autoscaled reports whether the number changes.
func (r Range) Autoscaled() bool { return r.Min != r.Max }

// String returns the range as it is typed.
func (r Range) String() string {
	if r.Autoscaled() {
		return fmt.Sprintf("%d-%d", r.Min, r.Max)
	}
	return fmt.Sprint(r.Min)
}

// A Pool is a size of virtual machines and their number.
type Pool struct {
	Size  string `json:"size"`
	Nodes Range  `json:"nodes"`
}

var rangeForm = regexp.MustCompile(`^(\d{1,4})(?:-(\d{1,4}))?$`)

// ParseRange reads MIN-MAX or a single number.
func ParseRange(text string) (Range, error) {
	var r Range
	parts := rangeForm.FindStringSubmatch(text)
	if parts == nil {
		return r, fmt.Errorf("%q is neither a number nor MIN-MAX", text)
	}
	fmt.Sscan(parts[1], &r.Min)
	r.Max = r.Min
	if parts[2] != "" {
		fmt.Sscan(parts[2], &r.Max)
	}
	if r.Max < r.Min || r.Max < 1 || r.Max > 1000 {
		return r, fmt.Errorf("%q is not a range of up to 1000 nodes with the smaller number first", text)
	}
	return r, nil
}

// ParsePool reads SIZE[:MIN-MAX].
func ParsePool(text string) (*Pool, error) {
	size, nodes, found := strings.Cut(text, ":")
	p := &Pool{Size: size, Nodes: DefaultGPUNodes}
	if !found {
		return p, nil
	}
	var err error
	p.Nodes, err = ParseRange(nodes)
	return p, err
}

// Validate completes the options with defaults and returns a usage error for what Azure would refuse.
func (o *Options) Validate() error {
	o.Location = strings.ToLower(strings.ReplaceAll(o.Location, " ", "")) // "West Europe"
	if o.NodeSize == "" {
		o.NodeSize = DefaultNodeSize
	}
	if o.Nodes == (Range{}) {
		n := nodesFor(o.Release, o.NodeSize)
		o.Nodes = Range{Min: n, Max: n}
	}
	if o.ServiceCIDR == "" {
		o.ServiceCIDR = DefaultServiceCIDR
	}
	slices.Sort(o.Zones)
	for _, rule := range []struct {
		ok         bool
		what, next string
	}{
		{validName.MatchString(o.Name), fmt.Sprintf("%q is not a name for a cluster", o.Name), "Use 1 to 63 letters, digits, - and _, and a letter or digit at both ends"},
		{validGroup.MatchString(o.ResourceGroup), fmt.Sprintf("%q is not a name for a resource group", o.ResourceGroup), "Specify one with --resource-group; it is created if it does not exist"},
		{validLocation.MatchString(o.Location), fmt.Sprintf("%q is not a location", o.Location), "Specify one with --location; to see them: az account list-locations -o table"},
		{len("MC__")+len(o.ResourceGroup)+len(o.Name)+1+len(o.Location) <= 80, "the names of the cluster, resource group and location are too long together", "AKS names a resource group MC_GROUP_NAME_LOCATION, of at most 80 characters: shorten one"},
		{validSize.MatchString(o.NodeSize), fmt.Sprintf("%q is not a VM size", o.NodeSize), "For example: --node-size " + DefaultNodeSize},
		{!burstable(o.NodeSize), o.NodeSize + " is a burstable size, which AKS does not recommend for system node pools", "For example: --node-size " + DefaultNodeSize},
		{o.Nodes.Min >= 1, "--nodes must be at least 1", "For example: --nodes 3-6"},
		{o.GPU == nil || validSize.MatchString(o.GPU.Size), "--gpu has no VM size", "For example: --gpu Standard_NC4as_T4_v3:0-2"},
		{!o.Spot || o.GPU != nil, "--spot requires --gpu", "The system node pool cannot use spot virtual machines: add --gpu SIZE"},
		{o.Subnet == "" || validSubnet.MatchString(o.Subnet), "--subnet is not the resource ID of a subnet", "It is shown by: az network vnet subnet show --resource-group GROUP --vnet-name VNET --name SUBNET --query id"},
		{o.KubernetesVersion == "" || validVersion.MatchString(o.KubernetesVersion), fmt.Sprintf("%q is not a Kubernetes version", o.KubernetesVersion), "Use one such as 1.35 or 1.35.4"},
		{o.Subscription == "" || validID.MatchString(o.Subscription), fmt.Sprintf("%q is not the ID of a subscription", o.Subscription), "To see the IDs: az account list -o table"},
	} {
		if !rule.ok {
			return &problem.Error{Usage: true, What: rule.what, Next: rule.next}
		}
	}
	if err := o.checkZones(); err != nil {
		return err
	}
	if _, err := o.services(); err != nil {
		return err
	}
	return o.checkTags()
}

// burstable reports whether a size is of the B series, whose CPU is throttled under load.
func burstable(size string) bool {
	family, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(size), "standard_"), "_")
	return strings.HasPrefix(family, "b")
}

func (o *Options) checkZones() error {
	for i, zone := range o.Zones {
		if !slices.Contains([]string{"1", "2", "3"}, zone) || i > 0 && o.Zones[i-1] == zone {
			return &problem.Error{Usage: true, What: "--zones are not distinct zones of 1, 2 and 3", Next: "For example: --zones 1,2,3"}
		}
	}
	return nil
}

// services returns the range of addresses for Services.
func (o *Options) services() (netip.Prefix, error) {
	services, err := netip.ParsePrefix(o.ServiceCIDR)
	pods := netip.MustParsePrefix(podCIDR)
	switch {
	case err != nil || !services.Addr().Is4() || services.Bits() < 12 || services.Bits() > 28 || services != services.Masked():
		return services, &problem.Error{Usage: true, What: fmt.Sprintf("%q is not a range of IPv4 addresses for Services", o.ServiceCIDR), Next: "Use a range of /12 to /28, for example: --service-cidr " + DefaultServiceCIDR}
	case services.Overlaps(pods):
		return services, &problem.Error{Usage: true, What: fmt.Sprintf("--service-cidr %s overlaps the addresses of pods, %s", services, pods), Next: "For example: --service-cidr " + DefaultServiceCIDR}
	}
	return services, nil
}

func (o *Options) checkTags() error {
	for _, key := range slices.Sorted(maps.Keys(o.Tags)) {
		lower := strings.ToLower(key)
		switch {
		case lower == CreatedBy || strings.HasPrefix(lower, Program):
			return &problem.Error{Usage: true, What: fmt.Sprintf("the tag %s is this program's", key), Next: "Choose another key for --tags"}
		case key == "" || len(key) > 512 || len(o.Tags[key]) > 256 || strings.ContainsAny(key, `<>%&\?/`):
			return &problem.Error{Usage: true, What: fmt.Sprintf("%q is not a tag", key+"="+o.Tags[key]), Next: `Keys have up to 512 characters without <>%&\?/, values up to 256`}
		}
	}
	if len(o.Tags) > 40 {
		return &problem.Error{Usage: true, What: "there are too many tags", Next: "Azure allows 50 on a resource, of which AKS and this program use some: give at most 40"}
	}
	return nil
}

// digest identifies the options, so that a second run knows whether it continues the first.
func (o Options) digest() string {
	body, _ := json.Marshal(o) // strings and numbers only
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}
