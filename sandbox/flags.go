package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/scenario"
)

// bindOptions adds the flags for a sandbox's options to a command.
func bindOptions(flags *pflag.FlagSet, o *cluster.Options) {
	bindKubernetes(flags, &o.Kubernetes)
	flags.StringVar(&o.Name, "name", "", "name of this sandbox; its context is sandbox-NAME (default: the Kubernetes version)")
	flags.IntVar(&o.Nodes, "nodes", 3, "nodes in the system pool")
	flags.IntVar(&o.GPUNodes, "gpu-nodes", 0, "nodes in the GPU pool")
	flags.StringVar(&o.Runtime, "runtime", "", "container runtime that the nodes report, e.g. docker://19.3.14 (default: the scenario's, or "+cluster.DefaultRuntime+")")
	flags.StringVar(&o.Scenario, "scenario", "empty", "state to start from: "+strings.Join(scenario.Names(), ", "))
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file to add the context to while the sandbox runs")
	flags.StringSliceVar(&o.Without, "without", nil, "parts of AKS to leave out: "+strings.Join(aks.Parts(), ", "))
	flags.BoolVar(&o.APIOnly, "api-only", false, "run only an API server: no controller changes its objects")
	flags.BoolVar(&o.NetworkPolicy, "network-policy", false, "enforce NetworkPolicies")
	flags.BoolVar(&o.IdentityProvider, "identity-provider", false, "run a stand-in for Microsoft Entra ID, and say where")
	flags.DurationVar(&o.Latency, "latency", 0, "how long a round trip to the API server takes, for users of the kubeconfig")
	flags.DurationVar(&o.StartDelay, "start-delay", 0, "how long a pod's images take to pull")
	flags.Var((*delays)(&o.Delays), "delay", "IMAGE=DURATION: start delay of images whose name contains IMAGE")
	flags.StringSliceVar(&o.PullFailures, "pull-failure", nil, "substrings of the names of images that cannot be pulled")
	flags.StringSliceVar(&o.Hanging, "hang", nil, "substrings of the names of images that start but never become ready")
	flags.DurationVar(&o.LoadBalancerDelay, "load-balancer-delay", 0, "how long a LoadBalancer Service waits for its address")
	flags.StringVar(&o.LoadBalancerFailure, "load-balancer-failure", "", "error for all LoadBalancer Services, e.g. AuthorizationFailed")
}

func bindKubernetes(flags *pflag.FlagSet, version *string) {
	flags.StringVar(version, "kubernetes", build.Default, "Kubernetes version: "+strings.Join(build.Versions(), ", "))
}

// arguments returns the options as command line flags.
func arguments(o cluster.Options) []string {
	args := []string{
		"--kubernetes=" + o.Kubernetes,
		"--name=" + o.Name,
		"--nodes=" + strconv.Itoa(o.Nodes),
		"--gpu-nodes=" + strconv.Itoa(o.GPUNodes),
		"--runtime=" + o.Runtime,
		"--scenario=" + o.Scenario,
		"--kubeconfig=" + o.Kubeconfig,
		fmt.Sprintf("--api-only=%t", o.APIOnly),
		fmt.Sprintf("--network-policy=%t", o.NetworkPolicy),
		fmt.Sprintf("--identity-provider=%t", o.IdentityProvider),
		"--latency=" + o.Latency.String(),
		"--start-delay=" + o.StartDelay.String(),
		"--load-balancer-delay=" + o.LoadBalancerDelay.String(),
		"--load-balancer-failure=" + o.LoadBalancerFailure,
	}
	for flag, values := range map[string][]string{
		"--without=": o.Without, "--pull-failure=": o.PullFailures, "--hang=": o.Hanging,
	} {
		for _, value := range values {
			args = append(args, flag+value)
		}
	}
	for image, delay := range o.Delays {
		args = append(args, "--delay="+image+"="+delay.String())
	}
	return args
}

// delays is a repeatable flag IMAGE=DURATION.
type delays map[string]time.Duration

func (d *delays) Set(text string) error {
	image, duration, ok := strings.Cut(text, "=")
	if !ok || image == "" {
		return fmt.Errorf("%q is not IMAGE=DURATION", text)
	}
	delay, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	if *d == nil {
		*d = delays{}
	}
	(*d)[image] = delay
	return nil
}

func (d *delays) Type() string   { return "image=duration" }
func (d *delays) String() string { return "" }
