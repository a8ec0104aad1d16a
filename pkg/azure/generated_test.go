package azure

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// generatedOptions calls a test with combinations of all options of "cluster create".
func generatedOptions(t *testing.T, test func(t *testing.T, o Options)) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	some := func() bool { return random.IntN(2) == 0 }
	releases := release.All()
	for range 300 {
		o := options(t, func(o *Options) {
			o.Release = releases[random.IntN(len(releases))]
			o.KubernetesVersion = []string{"1.35", "1.36", "1.35.4"}[random.IntN(3)]
			o.Private, o.NoRoleAssignment = some(), some()
			if some() {
				o.NodeSize = []string{"Standard_D8s_v5", "Standard_E4-2s_v5", "Standard_F16s_v2", "Standard_L8s_v3"}[random.IntN(4)]
			}
			if some() {
				n := int32(1 + random.IntN(9))
				o.Nodes = Range{n, n + int32(random.IntN(2)*random.IntN(9))}
			}
			if some() {
				n := int32(random.IntN(3))
				o.GPU, o.Spot = &Pool{"Standard_NC4as_T4_v3", Range{n, n + 1 + int32(random.IntN(3))}}, some()
				if n > 0 && some() {
					o.GPU.Nodes.Max = n
				}
			}
			if some() {
				o.Zones = []string{"1", "2", "3"}[:1+random.IntN(3)]
			}
			if some() {
				o.Subnet = testSubnet
			}
			if some() {
				o.ServiceCIDR = "172.16.0.0/20"
			}
			if some() {
				o.Tags = map[string]string{"owner": "ann's ${team}\\", "a b": "", "line": "one\ntwo"}
			}
		})
		if !t.Run(fmt.Sprintf("%+v", o.digest()), func(t *testing.T) { test(t, o) }) {
			t.Fatalf("options: %+v", o)
		}
	}
}

// TestBicepSaysWhatTheRequestSays reads the Bicep file back, and compares it with the bodies that are sent.
func TestBicepSaysWhatTheRequestSays(t *testing.T) {
	generatedOptions(t, func(t *testing.T, o Options) {
		r := NewRequest(o)
		text, err := r.Bicep()
		if err != nil {
			t.Fatal(err)
		}
		found := readBicep(t, text)
		steps, err := r.Steps()
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{}
		for i, name := range []string{"cluster", "maintenance"} {
			body, ok := steps[1+i].Body.(map[string]any)
			if !ok {
				t.Fatalf("%s has no body", name)
			}
			want[name+versionIn(steps[1+i].URL)] = body
		}
		want["cluster@"+versionAKS].(map[string]any)["name"] = o.Name
		window := want["maintenance@"+versionAKS].(map[string]any)
		window["name"], window["parent"] = maintenanceName, expression("cluster")
		if !o.NoRoleAssignment {
			role := r.Roles("principalId", "")[0].Body.Properties
			want["admin"+versionIn(steps[3].URL)] = map[string]any{
				"name": expression("guid(cluster.id, principalId, '" + clusterAdmin + "')"), "scope": expression("cluster"),
				"properties": map[string]any{"principalId": expression(role.PrincipalID), "roleDefinitionId": roleExpression(role.RoleDefinitionID[strings.LastIndex(role.RoleDefinitionID, "/")+1:])},
			}
		}
		if !reflect.DeepEqual(found, want) {
			a, b := flat("", found), flat("", want)
			for _, path := range slices.Sorted(maps.Keys(a)) {
				if a[path] != b[path] {
					t.Errorf("Bicep has %s %q, and the request %q", path, a[path], b[path])
				}
			}
			t.Errorf("%s", text)
		}
		for _, said := range []string{"--location " + o.Location, "--resource-group " + o.ResourceGroup} {
			if !strings.Contains(text, said) {
				t.Errorf("it does not say %q", said)
			}
		}
		if strings.Contains(text, "gpu-plugin") != (o.GPU != nil) || strings.Contains(text, networkContributor) != (o.Subnet != "" && !o.NoRoleAssignment) {
			t.Errorf("what comes after the deployment is not said:\n%s", text)
		}
	})
}

func versionIn(url string) string { return "@" + url[strings.LastIndex(url, "=")+1:] }

// readBicep reads the resources of a file, each by its name and API version.
func readBicep(t *testing.T, text string) map[string]any {
	t.Helper()
	found := map[string]any{}
	r := &bicepReader{t: t}
	for line := range strings.Lines(text) {
		if r.rest != "" || strings.HasPrefix(line, "resource ") {
			r.rest += line
		}
		if line == "}\n" {
			head, body, _ := strings.Cut(r.rest, " = ")
			words := strings.Fields(head)
			_, version, _ := strings.Cut(strings.Trim(words[2], "'"), "@")
			r.rest = body
			found[words[1]+"@"+version] = r.value()
			r.rest = ""
		}
	}
	return found
}

// A bicepReader reads the values that this program writes.
type bicepReader struct {
	t    *testing.T
	rest string
}

func (r *bicepReader) value() any {
	switch {
	case strings.HasPrefix(r.rest, "{"):
		object := map[string]any{}
		for r.next("{"); !r.closes("}"); {
			var key string
			if strings.HasPrefix(r.rest, "'") {
				key = r.text()
			} else {
				key = r.rest[:strings.Index(r.rest, ":")]
				r.rest = r.rest[len(key):]
			}
			r.next(":")
			object[key] = r.value()
		}
		return object
	case strings.HasPrefix(r.rest, "["):
		list := []any{}
		for r.next("["); !r.closes("]"); {
			list = append(list, r.value())
		}
		return list
	case strings.HasPrefix(r.rest, "'"):
		return r.text()
	}
	word := r.rest[:strings.Index(r.rest, "\n")]
	r.rest = r.rest[len(word):]
	r.next("")
	var value any
	if json.Unmarshal([]byte(word), &value) == nil {
		return value
	}
	return expression(word)
}

// text reads a literal by Bicep's own escapes. An interpolation that is open would be evaluated.
func (r *bicepReader) text() string {
	var out strings.Builder
	for i := 1; ; i++ {
		switch c := r.rest[i]; {
		case c == '\'':
			r.rest = r.rest[i+1:]
			r.next("")
			return out.String()
		case c == '\\':
			i++
			out.WriteByte(map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '\'': '\'', '$': '$'}[r.rest[i]])
		case c == '$' && r.rest[i+1] == '{':
			r.t.Fatalf("an interpolation: %s", strconv.Quote(r.rest[:i+2]))
		default:
			out.WriteByte(c)
		}
	}
}

func (r *bicepReader) next(token string) {
	r.t.Helper()
	if !strings.HasPrefix(r.rest, token) {
		r.t.Fatalf("want %q at %q", token, r.rest[:min(40, len(r.rest))])
	}
	r.rest = strings.TrimLeft(r.rest[len(token):], " \n")
}

func (r *bicepReader) closes(token string) bool {
	if !strings.HasPrefix(r.rest, token) {
		return false
	}
	r.next(token)
	return true
}

// azBody is what az sends for the same options: "az aks create" with the flags in the comments, and "az aks nodepool add" for the
// pool of GPUs.
func azBody(t *testing.T, o Options) map[string]any {
	t.Helper()
	az := bodyOfAz(t)
	properties := az["properties"].(map[string]any)
	network := properties["networkProfile"].(map[string]any)
	system := properties["agentPoolProfiles"].([]any)[0].(map[string]any)
	scale := func(pool map[string]any, n Range) { // --node-count, or --enable-cluster-autoscaler --min-count --max-count
		pool["count"], pool["enableAutoScaling"] = n.Min, n.Autoscaled()
		if n.Autoscaled() {
			pool["minCount"], pool["maxCount"] = n.Min, n.Max
		}
		if len(o.Zones) > 0 { // --zones
			pool["availabilityZones"] = anyList(o.Zones)
		}
		if o.Subnet != "" { // --vnet-subnet-id
			pool["vnetSubnetID"] = o.Subnet
		}
		pool["orchestratorVersion"] = o.KubernetesVersion
	}
	properties["kubernetesVersion"] = o.KubernetesVersion                                                            // --kubernetes-version
	system["name"], system["vmSize"] = "system", o.NodeSize                                                          // --nodepool-name, --node-vm-size
	properties["aadProfile"] = map[string]any{"managed": true, "enableAzureRBAC": true}                              // --enable-aad --enable-azure-rbac
	network["networkPolicy"], network["networkDataplane"] = "cilium", "cilium"                                       // --network-policy, --network-dataplane
	network["serviceCidr"], network["dnsServiceIP"] = o.ServiceCIDR, dnsOf(o.ServiceCIDR)                            // --service-cidr, --dns-service-ip
	properties["autoUpgradeProfile"] = map[string]any{"nodeOSUpgradeChannel": "NodeImage", "upgradeChannel": "none"} // --node-os-upgrade-channel, --auto-upgrade-channel
	tags := map[string]any{CreatedBy: Program, optionsTag: o.digest()}
	for key, value := range o.Tags { // --tags
		tags[key] = value
	}
	az["tags"] = tags
	scale(system, o.Nodes)
	if o.Private { // --enable-private-cluster --private-dns-zone system
		properties["apiServerAccessProfile"] = map[string]any{"enablePrivateCluster": true, "privateDNSZone": "system"}
	}
	if o.GPU != nil {
		taints := []string{"sku=gpu:NoSchedule"} // --node-taints
		gpu := map[string]any{"name": "gpu", "mode": "User", "vmSize": o.GPU.Size, "osType": "Linux", "type": "VirtualMachineScaleSets", "enableNodePublicIP": false,
			"scaleDownMode": "Delete", "scaleSetPriority": "Regular", "gpuProfile": map[string]any{"driver": "Install"}} // --gpu-driver install
		if o.Spot { // --priority Spot --eviction-policy Delete --spot-max-price -1, with the label and taint that the service adds
			gpu["scaleSetPriority"], gpu["scaleSetEvictionPolicy"], gpu["spotMaxPrice"] = "Spot", "Delete", -1
			gpu["nodeLabels"] = map[string]any{"kubernetes.azure.com/scalesetpriority": "spot"}
			taints = append(taints, "kubernetes.azure.com/scalesetpriority=spot:NoSchedule")
		} else {
			gpu["upgradeSettings"] = map[string]any{"maxSurge": "10%"} // --max-surge
		}
		gpu["nodeTaints"] = anyList(taints)
		scale(gpu, o.GPU.Nodes)
		properties["agentPoolProfiles"] = append(properties["agentPoolProfiles"].([]any), gpu)
	}
	return az
}

func anyList(texts []string) (out []any) {
	for _, text := range texts {
		out = append(out, text)
	}
	return out
}

// dnsOf is the tenth address of the ranges that the tests use.
func dnsOf(cidr string) string { return cidr[:strings.LastIndex(cidr, ".")] + ".10" }

// azLeavesOut are the fields in which the bodies differ with the same options, and why.
var azLeavesOut = map[string]string{
	"properties.agentPoolProfiles.0.osSKU":                    "az sends it only if it is asked for; Ubuntu is what the service takes",
	"properties.agentPoolProfiles.1.osSKU":                    "az sends it only if it is asked for; Ubuntu is what the service takes",
	"properties.agentPoolProfiles.0.upgradeSettings.maxSurge": "az has it for pools that are added alone; the surge is part of the quota that is checked",
	"properties.agentPoolProfiles.1.scaleDownMode":            "az sends the default of the service",
	"properties.agentPoolProfiles.1.scaleSetPriority":         "az sends Regular, the default of the service",
}

// TestTheRequestIsThatOfAzForAllOptions compares the bodies for the same options. Each difference is known, with its reason.
func TestTheRequestIsThatOfAzForAllOptions(t *testing.T) {
	used := map[string]bool{}
	generatedOptions(t, func(t *testing.T, o Options) {
		ours, err := plain(NewRequest(o).Cluster)
		if err != nil {
			t.Fatal(err)
		}
		a, b := flat("", azBody(t, o)), flat("", ours)
		for _, path := range slices.Sorted(maps.Keys(b)) {
			if _, found := a[path]; !found {
				a[path] = "nothing"
			}
		}
		for _, path := range slices.Sorted(maps.Keys(a)) {
			switch {
			case a[path] == b[path]:
			case azLeavesOut[path] == "":
				t.Errorf("%s: az sends %q, and this program %q", path, a[path], b[path])
			default:
				used[path] = true
			}
		}
	})
	for path := range azLeavesOut {
		if !used[path] {
			t.Errorf("%s is no difference", path)
		}
	}
}
