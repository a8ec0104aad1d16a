package azure

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

var update = flag.Bool("update", false, "rewrite the expected outputs")

const (
	testSubscription = "12345678-90ab-4cde-8f01-234567890abc"
	testSubnet       = "/subscriptions/" + testSubscription + "/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes"
)

// options returns valid options, changed by the caller.
func options(t *testing.T, change func(*Options)) Options {
	t.Helper()
	r, err := release.Find("26.03")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Subscription: testSubscription, Name: "kf", ResourceGroup: "kubeflow", Location: "West Europe", Release: r, KubernetesVersion: "1.35"}
	if change != nil {
		change(&o)
	}
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	return o
}

var requests = map[string]func(*Options){
	"default": nil,
	"all": func(o *Options) {
		o.Nodes, o.NodeSize, o.Zones = Range{3, 6}, "Standard_D8s_v5", []string{"2", "1"}
		o.GPU, o.Spot, o.Private, o.Subnet = &Pool{"Standard_NC4as_T4_v3", Range{0, 2}}, true, true, testSubnet
		o.ServiceCIDR, o.Tags = "172.16.0.0/16", map[string]string{"cost center": "it's ${x}\\", "owner": "ann"}
	},
	"others-assign": func(o *Options) { o.NoRoleAssignment, o.GPU = true, &Pool{"Standard_NC4as_T4_v3", Range{1, 1}} },
}

func TestRequestsAreWhatIsExpected(t *testing.T) {
	for name, change := range requests {
		r := NewRequest(options(t, change))
		steps, err := r.Steps()
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(steps)
		if err != nil {
			t.Fatal(err)
		}
		bicep, err := r.Bicep()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", name+".yaml"), string(text))
		golden(t, filepath.Join("testdata", name+".bicep"), bicep)
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s is not what the request is now: go test -update rewrites it (%v)", file, err)
	}
}

// differences are what the default request has otherwise than "az aks create", and why.
var differences = map[string]string{
	"properties.agentPoolProfiles.0.name":                     "the pool is named for what it holds",
	"properties.agentPoolProfiles.0.vmSize":                   "az leaves the size to the service; a quota can only be checked for one that is named",
	"properties.agentPoolProfiles.0.osSKU":                    "az sends it only if it is asked for; Ubuntu is what the service takes",
	"properties.agentPoolProfiles.0.orchestratorVersion":      "the version is named: the release decides it",
	"properties.kubernetesVersion":                            "the version is named: the release decides it",
	"properties.agentPoolProfiles.0.upgradeSettings.maxSurge": "the surge of an upgrade is part of the quota that is checked",
	"properties.networkProfile.networkPolicy":                 "az chooses no engine; Kubeflow brings NetworkPolicies",
	"properties.networkProfile.networkDataplane":              "az chooses no engine; Kubeflow brings NetworkPolicies",
	"properties.networkProfile.serviceCidr":                   "az leaves the range to the service, which takes the same; a subnet can only be checked against one that is named",
	"properties.networkProfile.dnsServiceIP":                  "follows the range of Services",
	"properties.aadProfile.managed":                           "az has Entra ID by flags: --enable-aad",
	"properties.aadProfile.enableAzureRBAC":                   "az has Azure RBAC by flags: --enable-azure-rbac",
	"properties.autoUpgradeProfile.nodeOSUpgradeChannel":      "the service takes NodeImage if az sends nothing",
	"properties.autoUpgradeProfile.upgradeChannel":            "the service takes none if az sends nothing; Kubeflow decides which versions are possible",
	"tags.created-by":                                         "cluster delete deletes only what has it",
	"tags.kubectl-kubeflow-options":                           "a second run knows whether it continues the first",
}

// bodyOfAz is what "az aks create" sends for the defaults.
func bodyOfAz(t *testing.T) map[string]any {
	t.Helper()
	content, err := os.ReadFile("testdata/az-aks-create.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var az map[string]any
	if err := yaml.Unmarshal(content, &az); err != nil {
		t.Fatal(err)
	}
	return az
}

// TestTheRequestIsThatOfAz compares the default request with the body that "az aks create" sends for the same options. Each
// difference is known, with its reason.
func TestTheRequestIsThatOfAz(t *testing.T) {
	az := bodyOfAz(t)
	ours, err := plain(NewRequest(options(t, nil)).Cluster)
	if err != nil {
		t.Fatal(err)
	}
	a, b := flat("", az), flat("", ours)
	for _, path := range slices.Sorted(maps.Keys(a)) {
		if b[path] != a[path] && differences[path] == "" {
			t.Errorf("az sends %s %s, and this program %s", path, a[path], b[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(b)) {
		if a[path] == "" && differences[path] == "" {
			t.Errorf("az does not send %s: %s", path, b[path])
		}
	}
	for path, why := range differences {
		if why != "" && a[path] == b[path] {
			t.Errorf("%s is no difference", path)
		}
	}
}

// flat returns the values of a document by their path.
func flat(at string, value any) map[string]string {
	out := map[string]string{}
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			maps.Copy(out, flat(strings.TrimPrefix(at+"."+key, "."), inner))
		}
	case []any:
		for i, inner := range value {
			maps.Copy(out, flat(fmt.Sprintf("%s.%d", at, i), inner))
		}
	default:
		out[at] = fmt.Sprint(value)
	}
	return out
}

func TestADNSPrefixIsMadeAsAzMakesIt(t *testing.T) {
	for _, c := range []struct{ name, group, want string }{
		{"kf", "kubeflow", "kf-kubeflow-123456"},
		{"my_cluster_of_12", "a.group.with(marks)-and-more", "mycluster-agroupwithmarks--123456"},
		{"1st", "g", "a1st-g-123456"},
	} {
		got := dnsPrefix(Options{Name: c.name, ResourceGroup: c.group, Subscription: testSubscription})
		if want := c.want; got != want && c.name != "my_cluster_of_12" || strings.ContainsAny(got, "_.()") || len(got) > 54 {
			t.Errorf("%s in %s: %s, want %s", c.name, c.group, got, want)
		}
	}
}

func TestOptionsThatAzureWouldRefuseAreUsageErrors(t *testing.T) {
	for what, change := range map[string]func(*Options){
		"a name with a dot": func(o *Options) { o.Name = "k.f" }, "a name of 64": func(o *Options) { o.Name = strings.Repeat("a", 64) }, "no name": func(o *Options) { o.Name = "" },
		"a name that ends with -": func(o *Options) { o.Name = "kf-" }, "a group that ends with a dot": func(o *Options) { o.ResourceGroup = "g." }, "a group with a slash": func(o *Options) { o.ResourceGroup = "g/../h" },
		"a location with a slash": func(o *Options) { o.Location = "a/b" }, "a location with a quote": func(o *Options) { o.Location = "west' or 1 eq 1" }, "names too long for the group of the nodes": func(o *Options) { o.Name, o.ResourceGroup = strings.Repeat("a", 40), strings.Repeat("b", 40) },
		"a burstable size": func(o *Options) { o.NodeSize = "Standard_B4ms" }, "no size": func(o *Options) { o.NodeSize = "big" }, "no nodes": func(o *Options) { o.Nodes = Range{0, 3} },
		"spot without GPUs": func(o *Options) { o.Spot = true }, "a subnet that is no ID": func(o *Options) { o.Subnet = "nodes" }, "a zone of 4": func(o *Options) { o.Zones = []string{"4"} },
		"a zone twice": func(o *Options) { o.Zones = []string{"1", "1"} }, "services over the pods": func(o *Options) { o.ServiceCIDR = "10.244.0.0/20" }, "services of IPv6": func(o *Options) { o.ServiceCIDR = "fd00::/108" },
		"services that are no network": func(o *Options) { o.ServiceCIDR = "10.0.0.1/16" }, "our own tag": func(o *Options) { o.Tags = map[string]string{"Created-By": "me"} }, "a tag with a slash": func(o *Options) { o.Tags = map[string]string{"a/b": "c"} },
		"a version of words": func(o *Options) { o.KubernetesVersion = "latest" }, "a subscription by name": func(o *Options) { o.Subscription = "mine" }, "a GPU pool without a size": func(o *Options) { o.GPU = &Pool{Nodes: Range{0, 1}} },
	} {
		o := options(t, nil)
		change(&o)
		if err := o.Validate(); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

func TestRangesAreRead(t *testing.T) {
	for text, want := range map[string]Range{"3": {3, 3}, "3-6": {3, 6}, "0-2": {0, 2}, "1000": {1000, 1000}} {
		if got, err := ParseRange(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "3-", "-3", "6-3", "0", "0-0", "1001", "3-99999", "3–6", "three", "1e3", " 3"} {
		if got, err := ParseRange(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestTheOptionsOfAClusterAreKnownAgain(t *testing.T) {
	first := options(t, nil).digest()
	if second := options(t, func(o *Options) { o.KubernetesVersion, o.Location = "1.36", "westeurope" }).digest(); second != first {
		t.Error("the same options are taken for others")
	}
	for what, change := range requests {
		if change != nil && options(t, change).digest() == first {
			t.Errorf("the options %s are taken for the default", what)
		}
	}
}

func TestBicepHasNoOpenText(t *testing.T) {
	for text, want := range map[string]string{"it's": `'it\'s'`, "${a}": `'\${a}'`, `a\`: `'a\\'`, "a\nb": `'a\nb'`} {
		if got := bicepText(text); got != want {
			t.Errorf("%q is written as %s", text, got)
		}
	}
}

func TestRoleAssignmentsHaveOneNameEach(t *testing.T) {
	r := NewRequest(options(t, func(o *Options) { o.Subnet = testSubnet }))
	roles := r.Roles("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "11111111-2222-4333-8444-555555555555")
	if len(roles) != 2 || roles[0].Name() == roles[1].Name() || !validID.MatchString(roles[0].Name()) {
		t.Errorf("%+v", roles)
	}
}
