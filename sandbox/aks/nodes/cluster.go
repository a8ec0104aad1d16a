package nodes

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Cluster has the properties that all nodes share.
type Cluster struct {
	Pools          []Pool
	Runtime        string // as a kubelet reports it: containerd://1.7.30-1
	KubeletVersion string // with its v
}

const (
	subscription = "00000000-0000-0000-0000-000000000000"
	region       = "westeurope"
	scaleSet     = "37463671" // AKS derives it from the cluster's name
	// ResourceGroup is AKS's own group, where it keeps a cluster's machines,
	// disks and addresses.
	ResourceGroup = "MC_kubeflow_sandbox_" + region
)

// AzureID is the full Azure ID of a resource in the cluster's own group.
func AzureID(kind, name string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + ResourceGroup + "/providers/" + kind + "/" + name
}

// Nodes returns the Node objects of all pools, Ready, in the order of the pools.
func (c Cluster) Nodes() []*corev1.Node {
	var all []*corev1.Node
	for p, pool := range c.Pools {
		for i := range pool.Count {
			all = append(all, c.node(pool, p, i, len(all)))
		}
	}
	return all
}

func (c Cluster) node(pool Pool, p, i, nth int) *corev1.Node {
	set := fmt.Sprintf("aks-%s-%s-vmss", pool.Name, scaleSet)
	name := set + instance(i)
	zone := fmt.Sprintf("%s-%d", region, i%3+1)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      c.labels(pool, name, zone),
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
		},
		Spec: corev1.NodeSpec{
			PodCIDR:    fmt.Sprintf("10.244.%d.0/24", nth),
			PodCIDRs:   []string{fmt.Sprintf("10.244.%d.0/24", nth)},
			ProviderID: "azure://" + AzureID("Microsoft.Compute/virtualMachineScaleSets", set+"/virtualMachines/"+strconv.Itoa(i)),
			Taints:     pool.Taints,
		},
		Status: corev1.NodeStatus{
			Capacity:    pool.capacity(),
			Allocatable: pool.allocatable(),
			Conditions:  conditions(),
			Addresses: []corev1.NodeAddress{
				// AKS gives nodes 10.224.0.0/16 and Azure keeps the first four addresses.
				{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.224.%d.%d", p, i+4)},
				{Type: corev1.NodeHostName, Address: name},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: 10250}},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture: "amd64", OperatingSystem: "linux", OSImage: "Ubuntu 22.04.5 LTS",
				KernelVersion: "5.15.0-1096-azure", ContainerRuntimeVersion: c.Runtime,
				KubeletVersion: c.KubeletVersion, KubeProxyVersion: c.KubeletVersion,
			},
		},
	}
}

// instance is how Azure numbers the machines of a scale set: six digits to the
// base 36.
func instance(i int) string {
	digits := strconv.FormatInt(int64(i), 36)
	return "000000"[len(digits):] + digits
}

func (c Cluster) labels(pool Pool, name, zone string) map[string]string {
	mode := map[string]string{"System": "system"}[pool.Mode]
	if mode == "" {
		mode = "user"
	}
	all := map[string]string{
		"agentpool":                                pool.Name,
		"beta.kubernetes.io/arch":                  "amd64",
		"beta.kubernetes.io/instance-type":         pool.Size.Name,
		"beta.kubernetes.io/os":                    "linux",
		"failure-domain.beta.kubernetes.io/region": region,
		"failure-domain.beta.kubernetes.io/zone":   zone,
		"kubernetes.azure.com/agentpool":           pool.Name,
		"kubernetes.azure.com/cluster":             ResourceGroup,
		"kubernetes.azure.com/mode":                mode,
		"kubernetes.azure.com/node-image-version":  "AKSUbuntu-2204gen2containerd-202509.23.0",
		"kubernetes.azure.com/nodepool-type":       "VirtualMachineScaleSets",
		"kubernetes.azure.com/os-sku":              "Ubuntu",
		"kubernetes.azure.com/role":                "agent",
		"kubernetes.azure.com/storageprofile":      "managed",
		"kubernetes.azure.com/storagetier":         "Premium_LRS",
		"kubernetes.io/arch":                       "amd64",
		"kubernetes.io/hostname":                   name,
		"kubernetes.io/os":                         "linux",
		"kubernetes.io/role":                       "agent",
		"node-role.kubernetes.io/agent":            "",
		"node.kubernetes.io/instance-type":         pool.Size.Name,
		"storageprofile":                           "managed",
		"storagetier":                              "Premium_LRS",
		"topology.disk.csi.azure.com/zone":         zone,
		"topology.kubernetes.io/region":            region,
		"topology.kubernetes.io/zone":              zone,
	}
	for key, value := range pool.Labels {
		all[key] = value
	}
	return all
}

func conditions() []corev1.NodeCondition {
	now := metav1.Now()
	all := []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	}
	for i := range all {
		all[i].LastHeartbeatTime, all[i].LastTransitionTime = now, now
	}
	return all
}
