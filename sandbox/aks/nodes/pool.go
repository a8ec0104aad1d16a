package nodes

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// A Size is an Azure VM size: what it has and what AKS leaves to pods.
type Size struct {
	Name                        string
	CPU, Memory                 string // what the machine has
	AllocatableCPU, Allocatable string // what AKS does not reserve
	GPUs                        int64
}

// The sizes that the sandbox knows.
var (
	StandardD4sV3     = Size{Name: "Standard_D4s_v3", CPU: "4", Memory: "16374624Ki", AllocatableCPU: "3860m", Allocatable: "14233440Ki"}
	StandardNC4asT4V3 = Size{Name: "Standard_NC4as_T4_v3", CPU: "4", Memory: "28812368Ki", AllocatableCPU: "3860m", Allocatable: "26671184Ki", GPUs: 1}
)

// A Pool is a node pool: Count machines of one size.
type Pool struct {
	Name    string
	Mode    string // System or User
	Size    Size
	Count   int
	MaxPods int64
	Taints  []corev1.Taint
	Labels  map[string]string
}

// SystemPool is the pool that an AKS cluster is created with.
func SystemPool(count int) Pool {
	return Pool{Name: "nodepool1", Mode: "System", Size: StandardD4sV3, Count: count, MaxPods: 110}
}

// GPUPool is a pool with one NVIDIA T4 in each machine and the taint that AKS's
// own documentation puts on it.
func GPUPool(count int) Pool {
	return Pool{
		Name: "gpunp", Mode: "User", Size: StandardNC4asT4V3, Count: count, MaxPods: 110,
		Taints: []corev1.Taint{{Key: "sku", Value: "gpu", Effect: corev1.TaintEffectNoSchedule}},
		Labels: map[string]string{"kubernetes.azure.com/accelerator": "nvidia", "accelerator": "nvidia"},
	}
}

func (p Pool) capacity() corev1.ResourceList {
	return p.resources(p.Size.CPU, p.Size.Memory)
}

func (p Pool) allocatable() corev1.ResourceList {
	return p.resources(p.Size.AllocatableCPU, p.Size.Allocatable)
}

func (p Pool) resources(cpu, memory string) corev1.ResourceList {
	list := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse(cpu),
		corev1.ResourceMemory:           resource.MustParse(memory),
		corev1.ResourceEphemeralStorage: resource.MustParse("129886128Ki"),
		corev1.ResourcePods:             *resource.NewQuantity(p.MaxPods, resource.DecimalSI),
		"hugepages-1Gi":                 resource.MustParse("0"),
		"hugepages-2Mi":                 resource.MustParse("0"),
	}
	if p.Size.GPUs > 0 {
		list["nvidia.com/gpu"] = *resource.NewQuantity(p.Size.GPUs, resource.DecimalSI)
	}
	return list
}
