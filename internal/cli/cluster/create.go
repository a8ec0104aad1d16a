package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

type createOptions struct {
	place
	run Run

	release, kubernetes   string
	location, size, nodes string
	gpu, subnet, services string
	zones                 []string
	tags                  map[string]string
	spot, private         bool
	noRole                bool
	install, yes          bool
	timeout               time.Duration
	dryRun, output        string
	forInstall            []string // the flags after --
	images                []string // the values of --image among them
	rules                 []images.Rule
}

const createLong = `Create an AKS cluster that is fit for a Kubeflow release, and add it to the
kubeconfig. The Kubernetes version is one that the release is compatible with.
Before anything is created, Azure is asked what would stop it: the subscription
and its resource providers, the version, the VM sizes in the region and its
zones, the quotas of vCPUs and public IP addresses, and your permission to
assign roles. --dry-run prints all requests and creates nothing.

The cluster has Azure CNI Overlay with Cilium, which enforces NetworkPolicies,
an OIDC issuer and workload identity, a managed identity, Entra ID with Azure
RBAC (you get the role of a cluster administrator), and weekly node image
upgrades on Sundays. A creation takes 4 to 10 minutes. Azure goes on with it if
this command is interrupted: run the same command again to follow or complete
it.

--install goes on with "kubectl kubeflow install". Its flags follow after --.

Exit codes: 0 the cluster is ready, 1 not, 4 timed out waiting.`

const createExample = `  kubectl kubeflow cluster create kf -g kubeflow --location westeurope
  kubectl kubeflow cluster create kf -g kubeflow --location westeurope \
    --gpu Standard_NC4as_T4_v3:0-2 --spot --install
  kubectl kubeflow cluster create kf -g kubeflow --location westeurope \
    --install -- --mirror ./mirror
  kubectl kubeflow cluster create kf -g kubeflow --location westeurope \
    --dry-run -o bicep > kf.bicep`

var (
	createOutput = cli.Outputs("", "yaml", "json", "bicep")
	createDryRun = cli.DryRuns("without asking Azure", "also check what would stop it")
)

func newCreateCommand(d *cli.Deps, run Run) *cobra.Command {
	o := &createOptions{place: place{Deps: d}, run: run}
	cmd := &cobra.Command{
		Use: "create NAME [flags] [-- INSTALL FLAGS]", DisableFlagsInUseLine: true, Short: "Create an AKS cluster for Kubeflow", Long: createLong, Example: createExample,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if at := cmd.ArgsLenAtDash(); at >= 0 {
				args, o.forInstall = args[:at], args[at:]
			}
			options, err := o.options(cmd, args)
			if err != nil {
				return err
			}
			return o.create(cmd.Context(), options)
		},
	}
	o.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.location, "location", "", "the Azure `REGION` of the cluster, such as westeurope")
	f.StringVarP(&o.release, "release", "r", "", "the Kubeflow `VERSION` that the cluster is for (default: the newest)")
	f.StringVar(&o.kubernetes, "kubernetes-version", "", "the Kubernetes `VERSION`, such as 1.35 or 1.35.4 (default: one that the release is compatible with)")
	f.StringVar(&o.size, "node-size", azure.DefaultNodeSize, "the VM `SIZE` of the nodes")
	f.StringVar(&o.nodes, "nodes", "", "the `NUMBER` of nodes, or MIN-MAX for the cluster autoscaler (default: for twice what the release requests, at least 3)")
	f.StringVar(&o.gpu, "gpu", "", "add a node pool for GPUs, as `SIZE[:MIN-MAX]` (default range "+azure.DefaultGPUNodes.String()+")")
	f.BoolVar(&o.spot, "spot", false, "use spot virtual machines for the GPU pool: cheaper, and evicted at any time")
	f.BoolVar(&o.private, "private", false, "give the API server a private address only")
	f.StringSliceVar(&o.zones, "zones", nil, "spread the nodes over these availability `ZONES`, such as 1,2,3")
	f.StringVar(&o.subnet, "subnet", "", "put the nodes into the subnet with this resource `ID` (default: a new one)")
	f.StringVar(&o.services, "service-cidr", azure.DefaultServiceCIDR, "the address `RANGE` of Services")
	f.StringToStringVar(&o.tags, "tags", nil, "tag the cluster, and a resource group that is created, with `KEY=VALUE,...`")
	f.BoolVar(&o.noRole, "no-role-assignment", false, "do not assign yourself a role in the cluster; an administrator has to")
	f.BoolVar(&o.install, "install", false, "then install the release in the cluster")
	createDryRun.Add(cmd, f, &o.dryRun, "", "print the requests without creating anything; `MODE` is %s")
	createOutput.Add(cmd, f, &o.output, "o", "print the requests of --dry-run as `FORMAT`: %s")
	f.DurationVar(&o.timeout, "timeout", 30*time.Minute, "stop waiting after this `DURATION`")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	cli.Complete(cmd, "release", cli.Fixed(cli.ReleaseNames()...))
	return cmd
}

// options reads the flags.
func (o *createOptions) options(cmd *cobra.Command, args []string) (azure.Options, error) {
	out := azure.Options{ResourceGroup: o.group, Location: o.location, KubernetesVersion: o.kubernetes, NodeSize: o.size, Spot: o.spot, Private: o.private,
		Zones: o.zones, Subnet: o.subnet, ServiceCIDR: o.services, Tags: o.tags, NoRoleAssignment: o.noRole}
	for _, err := range []error{o.name(cmd, args), o.checkInstall(cmd), createDryRun.Check(o.dryRun), createOutput.Check(o.output), cli.Positive(o.timeout, "30m")} {
		if err != nil {
			return out, err
		}
	}
	out.Name = args[0]
	switch {
	case o.location == "":
		return out, &problem.Error{Usage: true, What: "no location", Next: "Specify a region with --location; to see them: az account list-locations -o table"}
	case o.output != "" && o.dryRun == "none":
		return out, &problem.Error{Usage: true, What: "-o requires --dry-run", Next: "Without --dry-run, see the cluster with: kubectl kubeflow cluster list -o json"}
	case o.install && o.private:
		return out, &problem.Error{Usage: true, What: "--install cannot be used with --private: the API server is reached from the virtual network alone", Next: "Create the cluster, and run kubectl kubeflow install in its network"}
	case o.install && o.noRole:
		return out, &problem.Error{Usage: true, What: "--install cannot be used with --no-role-assignment: you could not use the cluster yet", Next: "Specify one of them"}
	}
	var err error
	if out.Release, err = chosen(o.release); err != nil {
		return out, &problem.Error{Usage: true, What: err.Error(), Next: "To see the releases: kubectl kubeflow releases"}
	}
	if o.nodes != "" {
		if out.Nodes, err = azure.ParseRange(o.nodes); err != nil {
			return out, &problem.Error{Usage: true, What: "--nodes: " + err.Error(), Next: "For example: --nodes 3-6"}
		}
	}
	if o.gpu != "" {
		if out.GPU, err = azure.ParsePool(o.gpu); err != nil {
			return out, &problem.Error{Usage: true, What: "--gpu: " + err.Error(), Next: "For example: --gpu Standard_NC4as_T4_v3:0-2"}
		}
	}
	return out, out.Validate()
}

// chosen returns a release, the newest one without a name.
func chosen(name string) (release.Release, error) {
	if name != "" {
		return release.Find(name)
	}
	newest, found := release.Newest(azure.UsualMinor)
	if !found {
		return newest, fmt.Errorf("no release is compatible with Kubernetes %s", azure.UsualMinor)
	}
	return newest, nil
}

func (o *createOptions) create(ctx context.Context, options azure.Options) error {
	client, err := o.client(ctx)
	if err != nil {
		return err
	}
	if o.dryRun == "client" {
		return o.preview(client, options)
	}
	wait, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	o.Step("Asking Azure what is offered in %s", options.Location)
	plan, err := client.Prepare(wait, options)
	o.Step("")
	if plan != nil {
		o.showChecks(plan.Checks)
	}
	if plan != nil && o.dryRun == "server" {
		if printed := o.print(plan.Request); printed != nil {
			return printed
		}
		return err
	}
	if err != nil {
		return err
	}
	o.showPlan(plan)
	if plan.State == "" {
		if err := o.Agree(ctx, o.yes, "Create it?", "Confirm with --yes, or preview with --dry-run"); err != nil {
			return err
		}
	}
	if err := client.Apply(wait, plan, o.progress()); err != nil {
		return err
	}
	o.Step("")
	return o.goOn(ctx, wait, client, plan.Request.Options)
}

// preview prints the requests without a call to Azure.
func (o *createOptions) preview(client *azure.Client, options azure.Options) error {
	if options.Subscription = client.Subscription; options.Subscription == "" {
		return &problem.Error{Usage: true, What: "no subscription is known, and without one the requests have no address", Next: "Specify its ID with --subscription, or sign in with: az login"}
	}
	if options.KubernetesVersion == "" {
		options.KubernetesVersion = azure.UsualVersion(options.Release)
	}
	return o.print(azure.NewRequest(options))
}
