package azure

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"
)

// surge is how many nodes a pool has in addition while it is upgraded.
const surge = "10%"

// pools returns the node pool of the system and Kubeflow, and the one for GPUs.
func pools(o Options) []*aks.ManagedClusterAgentPoolProfile {
	system := pool(o, "system", Pool{Size: o.NodeSize, Nodes: o.Nodes})
	system.Mode = to.Ptr(aks.AgentPoolModeSystem)
	all := []*aks.ManagedClusterAgentPoolProfile{system}
	if o.GPU != nil {
		all = append(all, gpuPool(o))
	}
	return all
}

func pool(o Options, name string, p Pool) *aks.ManagedClusterAgentPoolProfile {
	out := &aks.ManagedClusterAgentPoolProfile{
		Name: to.Ptr(name), VMSize: to.Ptr(p.Size), Count: to.Ptr(p.Nodes.Min),
		OSType: to.Ptr(aks.OSTypeLinux), OSSKU: to.Ptr(aks.OSSKUUbuntu),
		Type:                to.Ptr(aks.AgentPoolTypeVirtualMachineScaleSets),
		OrchestratorVersion: to.Ptr(o.KubernetesVersion),
		EnableAutoScaling:   to.Ptr(p.Nodes.Autoscaled()),
		EnableNodePublicIP:  to.Ptr(false),
		UpgradeSettings:     &aks.AgentPoolUpgradeSettings{MaxSurge: to.Ptr(surge)},
	}
	if p.Nodes.Autoscaled() {
		out.MinCount, out.MaxCount = to.Ptr(p.Nodes.Min), to.Ptr(p.Nodes.Max)
	}
	for _, zone := range o.Zones {
		out.AvailabilityZones = append(out.AvailabilityZones, to.Ptr(zone))
	}
	if o.Subnet != "" {
		out.VnetSubnetID = to.Ptr(o.Subnet)
	}
	return out
}

// gpuPool keeps pods without a toleration away from nodes that are paid for their GPUs.
func gpuPool(o Options) *aks.ManagedClusterAgentPoolProfile {
	out := pool(o, "gpu", *o.GPU)
	out.Mode = to.Ptr(aks.AgentPoolModeUser)
	out.NodeTaints = []*string{to.Ptr("sku=gpu:NoSchedule")}
	out.GpuProfile = &aks.GPUProfile{Driver: to.Ptr(aks.GPUDriverInstall)}
	if o.Spot {
		out.ScaleSetPriority = to.Ptr(aks.ScaleSetPrioritySpot)
		out.ScaleSetEvictionPolicy = to.Ptr(aks.ScaleSetEvictionPolicyDelete)
		out.SpotMaxPrice = to.Ptr[float32](-1)
		out.UpgradeSettings = nil // spot pools have no surge
		out.NodeTaints = append(out.NodeTaints, to.Ptr("kubernetes.azure.com/scalesetpriority=spot:NoSchedule"))
		out.NodeLabels = map[string]*string{"kubernetes.azure.com/scalesetpriority": to.Ptr("spot")}
	}
	return out
}
