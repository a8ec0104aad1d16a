package cluster

import (
	"cmp"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/scenario"
)

// DefaultRuntime is what AKS nodes report since AKS dropped Docker.
const DefaultRuntime = "containerd://1.7.30-1"

// complete sets defaults and rejects invalid options.
func (o Options) complete() (Options, error) {
	version, err := build.Resolve(o.Kubernetes)
	if err != nil {
		return o, err
	}
	o.Kubernetes = version
	if o.Name == "" {
		o.Name = version
	}
	if o.Scenario == "" {
		o.Scenario = "empty"
	}
	if o.start, err = scenario.Load(o.Scenario); err != nil {
		return o, err
	}
	o.Runtime = cmp.Or(o.Runtime, o.start.Runtime, DefaultRuntime)
	o.LoadBalancerFailure = cmp.Or(o.LoadBalancerFailure, o.start.LoadBalancerFailure)
	o.NetworkPolicy = o.NetworkPolicy || o.start.NetworkPolicy
	o.PullFailures = append(o.PullFailures, o.start.PullFailures...)
	o.Hanging = append(o.Hanging, o.start.Hanging...)
	if o.APIOnly {
		o.Without = aks.Parts()
	}
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	if o.Nodes < 0 || o.GPUNodes < 0 {
		return o, fmt.Errorf("a sandbox cannot have %d nodes and %d GPU nodes", o.Nodes, o.GPUNodes)
	}
	return o, o.checkParts()
}
