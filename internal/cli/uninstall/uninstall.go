package uninstall

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/uninstall"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

type uninstallOptions struct {
	*cli.Deps
	name       string
	deleteData bool
	confirm    string
	dryRun     string
	output     string
	wait, yes  bool
	timeout    time.Duration

	told bool // the document that -o asks for is printed
}

const uninstallLong = `Takes off what "install" put on the cluster, and nothing else: webhooks before
what serves them, custom resources while their controllers still run, then
workloads, definitions and namespaces. Each step is waited for. Run it again to
finish an uninstall that was cut off.

What users have stays: Profiles, their namespaces and volumes, and whatever
these need; so does a namespace that holds somebody else's objects. What stays
is said. With --delete-data users' data goes as well; it is listed first, and
confirmed by typing the name of the cluster's context.`

const uninstallExample = `  kubectl kubeflow uninstall --dry-run          # what would go, and stay
  kubectl kubeflow uninstall                    # all but users' data
  kubectl kubeflow uninstall --delete-data      # all
  kubectl kubeflow uninstall --name mpi-operator -y    # this installation
  kubectl kubeflow uninstall --delete-data --confirm aks-test -y  # in a script`

var (
	uninstallOutput = cli.Outputs("", "yaml", "json (and on stderr one JSON event a line)", "name")
	uninstallDryRun = cli.DryRuns("show what would go and stay", "ask the server about each object as well")
)

// NewCommand returns the command "kubectl kubeflow uninstall".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &uninstallOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "uninstall", Short: "Take Kubeflow off again, keeping users' data", Long: uninstallLong, Example: uninstallExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "the `NAME` of the installation, where there are several")
	f.BoolVar(&o.deleteData, "delete-data", false, "delete users' data as well: Profiles, their namespaces, volumes, runs, notebooks ...")
	f.StringVar(&o.confirm, "confirm", "", "say that --delete-data is meant: the `CONTEXT` whose cluster loses its data")
	uninstallDryRun.Add(cmd, f, &o.dryRun, "", "change nothing; `MODE` is %s")
	f.Lookup("dry-run").NoOptDefVal = "client"
	uninstallOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	f.BoolVar(&o.wait, "wait", true, "wait until the last namespace is gone; the steps before are waited for in any case")
	f.DurationVar(&o.timeout, "timeout", 15*time.Minute, "give up after this `DURATION`")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (o *uninstallOptions) validate() error {
	switch {
	case o.confirm != "" && !o.deleteData:
		return &problem.Error{Usage: true, What: "--confirm goes with --delete-data", Next: "Without --delete-data, -y is all that is needed"}
	case o.timeout <= 0:
		return &problem.Error{Usage: true, What: "--timeout must be longer than nothing", Next: "For example: --timeout 15m"}
	}
	return cmp.Or(cli.CheckName(o.name), uninstallDryRun.Check(o.dryRun), uninstallOutput.Check(o.output))
}

// run uninstalls. What asks for a document gets one, also where it did not come far enough to have a result.
func run(ctx context.Context, o *uninstallOptions) error {
	if o.output == "json" && o.dryRun == "none" {
		o.ErrOut = cli.NewEventStream(o.ErrOut, o.Now)
	}
	err := o.uninstall(ctx)
	if err != nil && !o.told && (o.output == "json" || o.output == "yaml") {
		doc := removal{APIVersion: cli.ResultVersion, Kind: "Removal", Name: o.name, Status: "failed", Error: err.Error()}
		return errors.Join(cli.PrintDocument(o.Out, o.output, doc), err)
	}
	return err
}

// uninstall prepares, shows, asks, and removes.
func (o *uninstallOptions) uninstall(ctx context.Context) error {
	client, err := o.Connect()
	if err != nil {
		return err
	}
	plan, err := kubeflow.PrepareUninstall(ctx, client, kubeflow.UninstallOptions{Name: o.name, DeleteData: o.deleteData, DryRun: kubeflow.DryRun(o.dryRun)})
	switch {
	case err != nil:
		return err
	case plan.Nothing():
		return o.nothing(ctx, client, plan)
	case plan.OnlyKept():
		return o.onlyKept(client, plan)
	case o.dryRun != "none":
		return o.showRemoval(ctx, client, plan)
	case plan.Refused != nil:
		return plan.Refused
	}
	dataOf, err := o.agree(ctx, client, plan)
	if err != nil {
		return err
	}
	began := o.Now()
	result, err := o.apply(ctx, client, plan, dataOf)
	return o.finish(client, plan, result, o.Now().Sub(began), err)
}

// apply carries the plan out and shows how it goes.
func (o *uninstallOptions) apply(ctx context.Context, client *cluster.Client, plan *kubeflow.UninstallPlan, dataOf string) (*uninstall.Result, error) {
	o.Started(plan.Release, client.Context, len(plan.Refs()))
	options := kubeflow.UninstallApplyOptions{DeleteDataOf: dataOf, Timeout: o.timeout, NoWait: !o.wait}
	if stream, ok := o.ErrOut.(*cli.EventStream); ok {
		options.Observe = stream.Observe
	} else {
		progress := ui.NewRemoval(o.Screen(), o.Now)
		defer progress.Close()
		options.Observe = progress.Observe
	}
	return plan.Apply(ctx, options)
}

// nothing says that there is nothing to take off: that is what was wanted.
func (o *uninstallOptions) nothing(ctx context.Context, client *cluster.Client, plan *kubeflow.UninstallPlan) error {
	o.told = true
	var untidy error
	if o.dryRun == "none" {
		_, untidy = plan.Apply(ctx, kubeflow.UninstallApplyOptions{})
	}
	doc := removal{APIVersion: cli.ResultVersion, Kind: "Removal", Name: o.name, Context: client.Context, Server: client.Server(), Status: "nothing", Removed: []cluster.Ref{}}
	if o.output == "json" || o.output == "yaml" {
		return errors.Join(cli.PrintDocument(o.Out, o.output, doc), untidy)
	}
	if len(plan.Installed) > 0 {
		o.Screen().Say("Nothing is installed under the name %s on %s. There is: %s", o.name, plan.Cluster(), strings.Join(plan.Installed, ", "))
	} else {
		o.Screen().Say("Nothing is installed on %s, as far as this program keeps a record: there is nothing to take off.", plan.Cluster())
	}
	return untidy
}
