package doctor

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Platform is what nodes and kube-system say about the cluster: nothing of it needs permissions in Azure.
type Platform struct {
	AKS     bool     `json:"aks"`
	Why     string   `json:"why,omitempty"`     // what tells
	Runtime string   `json:"runtime,omitempty"` // the container runtimes, each once: "containerd://1.7.30-1"
	Cluster string   `json:"cluster,omitempty"` // the resource group of the nodes: "MC_group_cluster_region"
	Region  string   `json:"region,omitempty"`
	Pools   []Pool   `json:"pools,omitempty"`
	Network string   `json:"network,omitempty"` // "Azure CNI Overlay", with what enforces NetworkPolicies
	Addons  []string `json:"addons,omitempty"`
	Support string   `json:"support,omitempty"` // of this Kubernetes by AKS: "supported", "long-term support only", "no longer supported"
}

// A Pool is a node pool of AKS.
type Pool struct {
	Name       string `json:"name"`
	Mode       string `json:"mode,omitempty"` // system or user
	Nodes      int    `json:"nodes"`
	VMSize     string `json:"vmSize,omitempty"`
	NodeImage  string `json:"nodeImage,omitempty"`
	Kubernetes string `json:"kubernetes,omitempty"` // of its kubelets, where that is not the server's
}

const aksPrefix = "kubernetes.azure.com/"

// aksLabel is on every AKS node.
const aksLabel = aksPrefix + "cluster"

// IsAKS reports whether a node is one of an AKS cluster.
func IsAKS(node *unstructured.Unstructured) bool {
	_, labelled := node.GetLabels()[aksLabel]
	return labelled
}

// Runtime returns a node's container runtime with its version: "containerd://1.7.30-1".
func Runtime(node *unstructured.Unstructured) string {
	runtime, _, _ := unstructured.NestedString(node.Object, "status", "nodeInfo", "containerRuntimeVersion")
	return runtime
}

// platform reads what there is to see; what may not be read is left out.
func platform(ctx context.Context, view cluster.View, server string) Platform {
	var p Platform
	nodes, err := view.List(ctx, kube.NodeKind, cluster.NodeScope)
	if err != nil {
		return p
	}
	seen := map[string]bool{}
	for _, n := range nodes {
		if IsAKS(n) {
			p.AKS, p.Why = true, "node label "+aksLabel
			p.take(n, server)
		}
		if runtime := Runtime(n); runtime != "" && !seen[runtime] {
			seen[runtime] = true
			p.Runtime = strings.TrimPrefix(p.Runtime+", "+runtime, ", ")
		}
	}
	if !p.AKS {
		return p
	}
	slices.SortFunc(p.Pools, func(a, b Pool) int { return cmp.Compare(a.Name, b.Name) })
	p.Support = supportOf(server)
	p.lookAround(ctx, view, nodes)
	return p
}

// take counts a node to its pool.
func (p *Platform) take(node *unstructured.Unstructured, server string) {
	l := node.GetLabels()
	p.Cluster = cmp.Or(p.Cluster, l[aksLabel])
	p.Region = cmp.Or(p.Region, l["topology.kubernetes.io/region"])
	pool := Pool{Name: l[aksPrefix+"agentpool"], Mode: l[aksPrefix+"mode"], VMSize: l["node.kubernetes.io/instance-type"], NodeImage: l[aksPrefix+"node-image-version"]}
	if kubelet, _, _ := unstructured.NestedString(node.Object, "status", "nodeInfo", "kubeletVersion"); kubelet != server {
		pool.Kubernetes = kubelet
	}
	if pool.Name == "" {
		return
	}
	for i, known := range p.Pools {
		if pool.Nodes = known.Nodes; known == pool {
			p.Pools[i].Nodes++
			return
		}
	}
	pool.Nodes = 1
	p.Pools = append(p.Pools, pool)
}

// lookAround tells the network and the add-ons by what runs in kube-system.
func (p *Platform) lookAround(ctx context.Context, view cluster.View, nodes []*unstructured.Unstructured) {
	there := map[string]bool{}
	for _, kind := range []string{"DaemonSet", "Deployment"} {
		list, err := view.List(ctx, schema.GroupKind{Group: "apps", Kind: kind}, cluster.Scope{Namespace: "kube-system", Metadata: true})
		if err != nil {
			return
		}
		for _, o := range list {
			there[o.GetName()] = true
		}
	}
	engine, _ := cluster.PolicyEngine(ctx, view)
	p.Network = network(nodes, engine)
	for _, addon := range addons {
		if slices.ContainsFunc(addon.signs, func(name string) bool { return there[name] }) {
			p.Addons = append(p.Addons, addon.name)
		}
	}
}

// addons are recognised by the names of what AKS runs for them in kube-system.
var addons = []struct {
	name  string
	signs []string
}{
	{"monitoring", []string{"ama-logs", "omsagent"}},
	{"managed Prometheus", []string{"ama-metrics"}},
	{"Azure Policy", []string{"azure-policy"}},
	{"Key Vault secrets", []string{"aks-secrets-store-csi-driver"}},
	{"Application Gateway", []string{"ingress-appgw-deployment"}},
	{"virtual nodes", []string{"aci-connector-linux"}},
	{"KEDA", []string{"keda-operator"}},
	{"vertical pod autoscaler", []string{"vpa-recommender"}},
	{"workload identity", []string{"azure-wi-webhook-controller-manager"}},
	{"blob storage", []string{"csi-blob-node"}},
}

// network names the plugin and what enforces NetworkPolicies, as far as the cluster shows them.
func network(nodes []*unstructured.Unstructured, engine string) string {
	name := ""
	for _, n := range nodes {
		l := n.GetLabels()
		switch {
		case l[aksPrefix+"podnetwork-type"] == "overlay" || l[aksPrefix+"azure-cni-overlay"] == "true":
			name = "Azure CNI Overlay"
		case l[aksPrefix+"podnetwork-name"] != "" && name == "":
			name = "Azure CNI"
		}
	}
	switch {
	case engine == "":
		return name
	case name == "" && engine == "Calico": // with kubenet too
		return "NetworkPolicies enforced by Calico"
	}
	return cmp.Or(name, "Azure CNI") + ", NetworkPolicies enforced by " + engine
}

// supportOf says how AKS supports a version of Kubernetes, as of August 2026 (its table of supported versions).
func supportOf(server string) string {
	v, err := version.ParseGeneric(server)
	if err != nil {
		return ""
	}
	switch minor := v.Minor(); {
	case minor >= 34 && minor <= 36:
		return "supported"
	case minor == 33:
		return "long-term support only"
	case minor < 33:
		return "no longer supported"
	}
	return "" // newer than is known here
}
