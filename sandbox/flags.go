package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

// bindOptions gives a command the flags that say what a sandbox is like.
func bindOptions(flags *pflag.FlagSet, o *cluster.Options) {
	bindKubernetes(flags, &o.Kubernetes)
	flags.StringVar(&o.Name, "name", "", "name of this sandbox; its context is sandbox-NAME (default: the Kubernetes version)")
	flags.IntVar(&o.Nodes, "nodes", 3, "nodes in the system pool")
	flags.IntVar(&o.GPUNodes, "gpu-nodes", 0, "nodes in the GPU pool")
	flags.StringVar(&o.Runtime, "runtime", cluster.DefaultRuntime, "container runtime that the nodes report, e.g. docker://19.3.14")
	flags.StringVar(&o.Scenario, "scenario", "", "state to start from")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file to add the context to while the sandbox runs")
	flags.StringSliceVar(&o.Without, "without", nil, "parts of AKS to leave out, e.g. enforcer,loadbalancer")
	flags.BoolVar(&o.NetworkPolicy, "network-policy", false, "enforce NetworkPolicies")
	flags.DurationVar(&o.StartDelay, "start-delay", 0, "how long a pod's images take to pull")
}

func bindKubernetes(flags *pflag.FlagSet, version *string) {
	flags.StringVar(version, "kubernetes", build.Newest, "Kubernetes version: "+strings.Join(build.Versions(), " or "))
}

// arguments writes the options as the flags that give them.
func arguments(o cluster.Options) []string {
	args := []string{
		"--kubernetes=" + o.Kubernetes,
		"--name=" + o.Name,
		"--nodes=" + strconv.Itoa(o.Nodes),
		"--gpu-nodes=" + strconv.Itoa(o.GPUNodes),
		"--runtime=" + o.Runtime,
		"--scenario=" + o.Scenario,
		"--kubeconfig=" + o.Kubeconfig,
		fmt.Sprintf("--network-policy=%t", o.NetworkPolicy),
		"--start-delay=" + o.StartDelay.String(),
	}
	for _, part := range o.Without {
		args = append(args, "--without="+part)
	}
	return args
}
