package status

import (
	"cmp"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Pool is a set of nodes with the same node pool, container runtime, OS image and Kubernetes version.
type Pool struct {
	Name       string    `json:"name,omitempty"`
	Kubernetes string    `json:"kubernetes"`
	Runtime    string    `json:"runtime"`
	OSImage    string    `json:"osImage"`
	Nodes      Readiness `json:"nodes"`
}

// Pools groups nodes and counts the ready ones of each group.
func Pools(nodes []cluster.Node) []Pool {
	pools := []Pool{}
	at := map[Pool]int{}
	for _, n := range nodes {
		kind := Pool{Name: cmp.Or(n.Labels["kubernetes.azure.com/agentpool"], n.Labels["agentpool"]), Kubernetes: n.Kubernetes, Runtime: n.Runtime, OSImage: n.OSImage}
		i, known := at[kind]
		if !known {
			i = len(pools)
			at[kind] = i
			pools = append(pools, kind)
		}
		pools[i].Nodes.Total++
		if n.Ready {
			pools[i].Nodes.Ready++
		}
	}
	slices.SortFunc(pools, func(a, b Pool) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kubernetes, b.Kubernetes), cmp.Compare(a.OSImage, b.OSImage), cmp.Compare(a.Runtime, b.Runtime))
	})
	return pools
}
