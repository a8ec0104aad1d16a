package azure

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// enough are the facts of a subscription and a region in which everything can be created.
func enough(t *testing.T) *Facts {
	t.Helper()
	f := &Facts{Portal: Clouds[0].Portal, Subscription: Subscription{ID: testSubscription, Name: "Test", State: "Enabled"}, Providers: map[string]string{},
		Permissions: []Permission{{Actions: []string{"*"}, NotActions: []string{"Microsoft.Blueprint/*"}}}}
	for _, namespace := range namespaces {
		f.Providers[namespace] = "Registered"
	}
	for _, answer := range []struct {
		body string
		into any
	}{
		{`[{"name": "Standard_D4s_v5", "resourceType": "virtualMachines", "family": "standardDSv5Family", "locationInfo": [{"location": "westeurope", "zones": ["1", "2"]}],
			"capabilities": [{"name": "vCPUs", "value": "4"}, {"name": "MemoryGB", "value": "16"}, {"name": "CpuArchitectureType", "value": "x64"}]},
		  {"name": "Standard_NC4as_T4_v3", "resourceType": "virtualMachines", "family": "standardNCASv3Family", "locationInfo": [{"location": "westeurope", "zones": ["1"]}],
			"capabilities": [{"name": "vCPUs", "value": "4"}, {"name": "MemoryGB", "value": "28"}, {"name": "GPUs", "value": "1"}]}]`, &f.SKUs},
		{`[{"name": {"value": "cores", "localizedValue": "Total Regional vCPUs"}, "currentValue": 0, "limit": 100},
		  {"name": {"value": "standardDSv5Family", "localizedValue": "Standard DSv5 Family vCPUs"}, "currentValue": 0, "limit": 100},
		  {"name": {"value": "standardNCASv3Family", "localizedValue": "Standard NCASv3 Family vCPUs"}, "currentValue": 0, "limit": 100},
		  {"name": {"value": "lowPriorityCores", "localizedValue": "Total Regional Low-priority vCPUs"}, "currentValue": 0, "limit": 100}]`, &f.Usage},
		{`[{"name": {"value": "PublicIPAddresses"}, "currentValue": 10, "limit": 1000}, {"name": {"value": "VirtualNetworks"}, "currentValue": 50, "limit": 50}]`, &f.Network},
	} {
		if err := json.Unmarshal([]byte(answer.body), answer.into); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// allow sets what is left of a quota.
func (f *Facts) allow(name string, left int64) {
	u := f.usage(name)
	u.Current = u.Limit - left
}

func gpus(o *Options) { o.GPU = &Pool{"Standard_NC4as_T4_v3", Range{0, 2}} }

func TestWhatStopsACreationIsFoundBefore(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*Options)
		facts  func(*Facts)
		want   string // Azure's code, or a word; "" is no problem
		warns  string
	}{
		{what: "enough of everything"},
		{what: "enough of everything, with GPUs", change: gpus},
		{what: "a disabled subscription", facts: func(f *Facts) { f.Subscription.State = "Disabled" }, want: "ReadOnlyDisabledSubscription"},
		{what: "an overdue subscription", facts: func(f *Facts) { f.Subscription.State = "PastDue" }, warns: "PastDue"},
		{what: "a provider that is not registered", facts: func(f *Facts) { f.Providers["Microsoft.Compute"] = "NotRegistered" }, want: "MissingSubscriptionRegistration"},
		{what: "a provider that is being registered", facts: func(f *Facts) { f.Providers["Microsoft.ContainerService"] = "Registering" }, want: "MissingSubscriptionRegistration"},
		{what: "a size that is not offered", change: func(o *Options) { o.NodeSize = "Standard_D96s_v9" }, want: "SkuNotAvailable"},
		{what: "a size that is restricted", facts: func(f *Facts) {
			f.SKUs[0].Restrictions = []restriction{{Type: "Location", Reason: "NotAvailableForSubscription"}}
		}, want: "NotAvailableForSubscription"},
		{what: "a zone without the size", change: func(o *Options) { o.Zones = []string{"3"} }, want: "SkuNotAvailable"},
		{what: "a zone without the GPU size", change: func(o *Options) { o.Zones = []string{"2"}; gpus(o) }, want: "SkuNotAvailable"},
		{what: "a restricted zone", change: func(o *Options) { o.Zones = []string{"1"} }, facts: func(f *Facts) {
			r := restriction{Type: "Zone", Reason: "NotAvailableForSubscription"}
			r.Info.Zones = []string{"1"}
			f.SKUs[0].Restrictions = []restriction{r}
		}, want: "NotAvailableForSubscription"},
		{what: "another zone that is restricted", change: func(o *Options) { o.Zones = []string{"2"} }, facts: func(f *Facts) {
			r := restriction{Type: "Zone", Reason: "NotAvailableForSubscription"}
			r.Info.Zones = []string{"1"}
			f.SKUs[0].Restrictions = []restriction{r}
		}},
		{what: "a GPU pool without GPUs", change: func(o *Options) { o.GPU = &Pool{"Standard_D4s_v5", Range{0, 1}} }, want: "no GPU"},
		{what: "Arm processors", facts: func(f *Facts) { f.SKUs[0].Capabilities[2].Value = "Arm64" }, want: "arm64"},
		{what: "nodes that are too small", change: func(o *Options) { o.Nodes = Range{1, 1} }, want: "Kubeflow requests"},
		{what: "nodes that grow large enough", change: func(o *Options) { o.Nodes = Range{1, 3} }},
		// 3 nodes of 4 vCPUs, and one more while they are upgraded
		{what: "a family quota for the nodes and the upgrade", facts: func(f *Facts) { f.allow("standardDSv5Family", 16) }},
		{what: "a family quota without the upgrade", facts: func(f *Facts) { f.allow("standardDSv5Family", 15) }, want: "ErrCode_InsufficientVCPUQuota"},
		{what: "a total quota without the upgrade", facts: func(f *Facts) { f.allow("cores", 15) }, want: "ErrCode_InsufficientVCPUQuota"},
		{what: "a GPU quota of 0", change: gpus, facts: func(f *Facts) { f.usage("standardNCASv3Family").Limit = 0 }, want: "ErrCode_InsufficientVCPUQuota"},
		{what: "a GPU quota for one node", change: gpus, facts: func(f *Facts) { f.allow("standardNCASv3Family", 8) }, warns: "when all pools have grown"},
		{what: "spot GPUs without a quota of their family", change: func(o *Options) { gpus(o); o.Spot = true }, facts: func(f *Facts) { f.allow("standardNCASv3Family", 0) }},
		{what: "spot GPUs without a spot quota", change: func(o *Options) { gpus(o); o.Spot = true }, facts: func(f *Facts) { f.allow("lowPriorityCores", 3) }, want: "ErrCode_InsufficientVCPUQuota"},
		{what: "a quota for the smallest number", change: func(o *Options) { o.Nodes = Range{3, 20} }, facts: func(f *Facts) { f.allow("cores", 16) }, warns: "88 are needed"},
		{what: "a quota that Azure does not name", facts: func(f *Facts) { f.Usage = f.Usage[:1] }, warns: "not known"},
		{what: "room for more clusters than there are", facts: clusters(9, "PayAsYouGo_2014-09-01")},
		{what: "as many clusters as the offer usually has", facts: clusters(10, "PayAsYouGo_2014-09-01"), warns: "QuotaExceeded"},
		{what: "many clusters of an offer that is not known", facts: clusters(200, "Internal_2014-09-01")},
		{what: "clusters of other regions", facts: func(f *Facts) {
			clusters(12, "PayAsYouGo_2014-09-01")(f)
			for _, e := range f.Clusters {
				e.Location = "northeurope"
			}
		}},
		{what: "as many clusters as a subscription may have", facts: clusters(5000, ""), want: "QuotaExceeded"},
		{what: "as many nodes as have addresses for their pods", change: func(o *Options) { o.Nodes = Range{3, 232} }, warns: "when all pools have grown"}, // and 24 more in an upgrade
		{what: "more nodes than have addresses for their pods", change: func(o *Options) { o.Nodes = Range{3, 233} }, want: "suffice for 256", warns: "when all pools have grown"},
		{what: "more nodes of all pools than have addresses", change: func(o *Options) { gpus(o); o.Nodes, o.GPU.Nodes.Max = Range{3, 200}, 40 }, want: "suffice for 256", warns: "when all pools have grown"},
		{what: "spot nodes, which no upgrade adds to", change: func(o *Options) { gpus(o); o.Spot, o.Nodes, o.GPU.Nodes.Max = true, Range{3, 200}, 36 }, warns: "when all pools have grown"},
		{what: "fewer disks than volumes", facts: func(f *Facts) { f.SKUs[0].set("MaxDataDiskCount", "0.5") }, want: "attach"},
		{what: "no public IP address", facts: func(f *Facts) { f.Network[0].Current = 1000 }, want: "PublicIPCountLimitReached"},
		{what: "one public IP address", facts: func(f *Facts) { f.Network[0].Current = 999 }, warns: "expose"},
		{what: "a contributor, who may not assign roles", facts: func(f *Facts) {
			f.Permissions = []Permission{{Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Delete", "microsoft.authorization/*/write"}}}
		}, want: "AuthorizationFailed"},
		{what: "a contributor with another role that may", facts: func(f *Facts) {
			f.Permissions = []Permission{{Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Write"}}, {Actions: []string{"Microsoft.Authorization/roleAssignments/*"}}}
		}},
		{what: "a contributor who assigns no role", change: func(o *Options) { o.NoRoleAssignment = true }, facts: func(f *Facts) { f.Permissions = nil }},
		{what: "a subnet", change: func(o *Options) { o.Subnet = testSubnet }, facts: subnet("10.240.0.0/24", 0)},
		{what: "a subnet that is too small", change: func(o *Options) { o.Subnet = testSubnet }, facts: subnet("10.240.0.0/29", 0), want: "InsufficientSubnetSize"},
		{what: "a subnet that is used", change: func(o *Options) { o.Subnet = testSubnet }, facts: subnet("10.240.0.0/28", 8), want: "InsufficientSubnetSize"},
		{what: "a subnet that is small for growth", change: func(o *Options) { o.Subnet, o.Nodes = testSubnet, Range{3, 20} }, facts: subnet("10.240.0.0/28", 0), warns: "when all pools have grown"},
		{what: "a subnet in the range of Services", change: func(o *Options) { o.Subnet = testSubnet }, facts: subnet("10.0.3.0/24", 0), want: "ServiceCidrOverlapExistingSubnetsCidr"},
		{what: "a subnet for the nodes alone, and a private API server", change: func(o *Options) { o.Subnet, o.Private = testSubnet, true }, facts: subnet("10.240.0.0/28", 7), want: "InsufficientSubnetSize"},
		{what: "a subnet for the nodes and a private API server", change: func(o *Options) { o.Subnet, o.Private = testSubnet, true }, facts: subnet("10.240.0.0/28", 6)},
		{what: "a subnet in the range of pods", change: func(o *Options) { o.Subnet = testSubnet }, facts: subnet("10.244.7.0/24", 0), want: "ServiceCidrOverlapExistingSubnetsCidr"},
	} {
		t.Run(c.what, func(t *testing.T) {
			f := enough(t)
			if c.facts != nil {
				c.facts(f)
			}
			results := Check(options(t, c.change), f)
			first, count := FirstProblem(results)
			switch {
			case c.want == "" && first != nil:
				t.Errorf("it is stopped: %v", first)
			case c.want != "" && (first == nil || !strings.Contains(first.What, c.want) || first.Next == "" || count == 0):
				t.Errorf("%d problems: %+v, want %s", count, first, c.want)
			}
			var warnings []string
			for _, r := range results {
				warnings = append(warnings, r.Warnings...)
			}
			if said := strings.Join(warnings, "\n"); (c.warns == "") != (said == "") || !strings.Contains(said, c.warns) {
				t.Errorf("warnings %q, want %q", said, c.warns)
			}
		})
	}
}

// clusters are some in the region, in a subscription of an offer.
func clusters(count int, offer string) func(*Facts) {
	return func(f *Facts) {
		f.Subscription.Policies.Quota = offer
		for range count {
			f.Clusters = append(f.Clusters, &Existing{Location: "West Europe"})
		}
	}
}

// set adds a capability.
func (s *SKU) set(name, value string) {
	capability := s.Capabilities[0]
	capability.Name, capability.Value = name, value
	s.Capabilities = append(s.Capabilities, capability)
}

func subnet(prefix string, used int) func(*Facts) {
	return func(f *Facts) {
		f.Subnet = &Subnet{}
		f.Subnet.Properties.Prefix, f.Subnet.Properties.Used = prefix, make([]struct{}, used)
	}
}

// TestTheQuotaThatIsDemandedSuffices holds the demand against every quota: with what is demanded nothing stops the creation,
// and with one vCPU less it does.
func TestTheQuotaThatIsDemandedSuffices(t *testing.T) {
	for min := int32(1); min <= 25; min += 3 {
		for gpu := int32(0); gpu < 4; gpu++ {
			change := func(o *Options) {
				o.Nodes, o.GPU, o.Spot = Range{min, min + 5}, &Pool{"Standard_NC4as_T4_v3", Range{gpu, gpu + 2}}, gpu%2 == 1
			}
			o := options(t, change)
			for name, need := range demands(o, enough(t)) {
				f := enough(t)
				for i := range f.Usage {
					f.Usage[i].Limit = 1 << 20
				}
				f.allow(name, need.first)
				if r := checkQuota(o, f); len(r.Problems) != 0 {
					t.Errorf("%v and %v GPU nodes: %s of %d does not suffice: %v", o.Nodes, o.GPU.Nodes, name, need.first, r.Problems[0])
				}
				f.allow(name, need.first-1)
				if r := checkQuota(o, f); len(r.Problems) != 1 {
					t.Errorf("%v and %v GPU nodes: %s of %d suffices", o.Nodes, o.GPU.Nodes, name, need.first-1)
				}
			}
		}
	}
}

func TestAKubernetesVersionIsChosen(t *testing.T) {
	offers := []Offer{{Minor: "1.37", Preview: true}, {Minor: "1.36", Patches: []string{"1.36.2"}}, {Minor: "1.35", Default: true, Patches: []string{"1.35.3", "1.35.4"}}, {Minor: "1.31", LTS: true}, {Minor: "1.9"}}
	for _, c := range []struct{ release, wanted, want, problem string }{
		{release: "26.03", want: "1.35"},
		{release: "26.03", wanted: "1.36", want: "1.36"},
		{release: "26.03", wanted: "1.35.4", want: "1.35.4"},
		{release: "26.03", wanted: "1.37", want: "1.37"},
		{release: "26.03", wanted: "1.31", problem: "long-term support"},
		{release: "26.03", wanted: "1.35.9", problem: "not offered"},
		{release: "1.2.0", problem: "compatible with Kubernetes"},
		{release: "1.2.0", wanted: "1.35", problem: "does not serve"},
	} {
		r, err := release.Find(c.release)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ChooseVersion(offers, r, c.wanted, "westeurope")
		if got != c.want || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("Kubeflow %s on %q: %q, %v", c.release, c.wanted, got, err)
		}
	}
	for _, r := range release.All() {
		if v := UsualVersion(r); !r.Kubernetes.Possible(v) {
			t.Errorf("%s has no API on Kubernetes %s", r, v)
		}
		if got, err := ChooseVersion(offers, r, "", "westeurope"); err == nil && !r.Supports(got) {
			t.Errorf("%s is not compatible with Kubernetes %s", r, got)
		}
	}
}
