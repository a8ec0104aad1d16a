package cluster

import (
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
)

// DefaultRuntime is what AKS nodes have reported since they left Docker.
const DefaultRuntime = "containerd://1.7.30-1"

// complete fills in what was left open and refuses what cannot be.
func (o Options) complete() (Options, error) {
	version, err := build.Resolve(o.Kubernetes)
	if err != nil {
		return o, err
	}
	o.Kubernetes = version
	if o.Name == "" {
		o.Name = version
	}
	if o.Runtime == "" {
		o.Runtime = DefaultRuntime
	}
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	if o.Nodes < 0 || o.GPUNodes < 0 {
		return o, fmt.Errorf("a sandbox cannot have %d nodes and %d GPU nodes", o.Nodes, o.GPUNodes)
	}
	return o, o.checkParts()
}
