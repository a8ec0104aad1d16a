package uninstall

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui/progress"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/uninstall"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

type uninstallOptions struct {
	*cli.Deps
	name       string
	deleteData bool
	confirmed  string // the context, of --confirm
	dryRun     string
	output     string
	wait, yes  bool
	timeout    time.Duration

	printed bool // the -o document is written
}

const uninstallLong = `Uninstall exactly what "install" created, in dependency order: webhooks before
the workloads that serve them, custom resources while their controllers are
still running, then workloads, CRDs and namespaces. The command waits for each
step. Run it again to resume an interrupted uninstall.

User data is kept: Profiles, their namespaces and volumes, and what these depend
on. A namespace that contains objects from other sources is kept too. Everything
that is kept is listed. --delete-data deletes user data as well, after listing
it and asking you to type the name of the context.`

const uninstallExample = `  kubectl kubeflow uninstall --dry-run          # preview
  kubectl kubeflow uninstall                    # keep user data
  kubectl kubeflow uninstall --delete-data      # delete everything
  kubectl kubeflow uninstall --name mpi-operator -y  # one installation
  kubectl kubeflow uninstall --delete-data --confirm aks-test -y  # in scripts`

var (
	uninstallOutput = cli.Outputs("", "yaml", "json (with JSON events on stderr)", "name")
	uninstallDryRun = cli.DryRuns("show what would be deleted and kept", "also submit server-side dry-run requests")
)

// NewCommand returns the command "kubectl kubeflow uninstall".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &uninstallOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "uninstall", SuggestFor: []string{"delete", "remove", "destroy"}, Short: "Uninstall Kubeflow, keeping user data", Long: uninstallLong, Example: uninstallExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "the `NAME` of the installation, if there are several")
	f.BoolVar(&o.deleteData, "delete-data", false, "also delete user data: Profiles, their namespaces, volumes, runs, notebooks, ...")
	f.StringVar(&o.confirmed, "confirm", "", "confirm --delete-data by naming the `CONTEXT` of the cluster")
	uninstallDryRun.Add(cmd, f, &o.dryRun, "", "preview without changing anything; `MODE` is %s")
	uninstallOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	f.BoolVar(&o.wait, "wait", true, "wait until the last namespace is deleted; earlier steps are always waited for")
	f.DurationVar(&o.timeout, "timeout", 15*time.Minute, "time out after this `DURATION`")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}

func (o *uninstallOptions) validate() error {
	switch {
	case o.confirmed != "" && !o.deleteData:
		return &problem.Error{Usage: true, What: "--confirm requires --delete-data", Next: "Without --delete-data, confirm with -y"}
	case o.timeout <= 0:
		return cli.Positive(o.timeout, "15m")
	}
	return cmp.Or(cli.CheckName(o.name), uninstallDryRun.Check(o.dryRun), uninstallOutput.Check(o.output))
}

// run uninstalls. With -o json or yaml it writes a document even if the uninstall failed before it had a result.
func run(ctx context.Context, o *uninstallOptions) error {
	if o.output == "json" && o.dryRun == "none" {
		o.ErrOut = cli.NewEventStream(o.ErrOut, o.Now)
	}
	err := o.uninstall(ctx)
	if err != nil && !o.printed && (o.output == "json" || o.output == "yaml") {
		doc := removal{APIVersion: cli.ResultVersion, Kind: "Removal", Name: o.name, Status: "failed", Error: redact.Message(err.Error())}
		return errors.Join(cli.PrintDocument(o.Out, o.output, doc), err)
	}
	return err
}

// uninstall prepares the plan, shows it, asks for confirmation and executes it.
func (o *uninstallOptions) uninstall(ctx context.Context) error {
	client, err := o.Connect()
	if err != nil {
		return err
	}
	plan, err := kubeflow.PrepareUninstall(ctx, client, kubeflow.UninstallOptions{Name: o.name, DeleteData: o.deleteData, DryRun: kubeflow.DryRun(o.dryRun)})
	if plan != nil {
		for _, notice := range plan.Notices {
			o.Screen().Say("Warning: %s", notice)
		}
	}
	switch {
	case err != nil:
		return err
	case plan.Nothing():
		return o.reportNothing(ctx, client, plan)
	case plan.OnlyKept():
		return o.reportOnlyKept(client, plan)
	case o.dryRun != "none":
		return o.showPlan(ctx, client, plan)
	case plan.Refused != nil:
		return plan.Refused
	}
	deleteDataOf, err := o.confirm(ctx, client, plan)
	if err != nil {
		return err
	}
	began := o.Now()
	result, err := o.apply(ctx, client, plan, deleteDataOf)
	return o.finish(client, plan, result, o.Now().Sub(began), err)
}

// apply executes the plan and shows its progress.
func (o *uninstallOptions) apply(ctx context.Context, client *cluster.Client, plan *kubeflow.UninstallPlan, deleteDataOf string) (*uninstall.Result, error) {
	o.Started(plan.Release, client.Context, len(plan.Refs()))
	options := kubeflow.UninstallApplyOptions{DeleteDataOf: deleteDataOf, Timeout: o.timeout, NoWait: !o.wait}
	if stream, ok := o.ErrOut.(*cli.EventStream); ok {
		options.Observe = stream.Observe
	} else {
		shown := progress.NewUninstall(o.Screen(), o.Now)
		defer shown.Close()
		options.Observe = shown.Observe
	}
	return plan.Apply(ctx, options)
}

// reportNothing reports that there is nothing to uninstall, which is a success.
func (o *uninstallOptions) reportNothing(ctx context.Context, client *cluster.Client, plan *kubeflow.UninstallPlan) error {
	o.printed = true
	var unclean error
	if o.dryRun == "none" {
		_, unclean = plan.Apply(ctx, kubeflow.UninstallApplyOptions{})
	}
	doc := removal{APIVersion: cli.ResultVersion, Kind: "Removal", Name: o.name, Context: client.Context, Server: client.Server(), Status: "nothing", Removed: []cluster.Ref{}}
	if o.output == "json" || o.output == "yaml" {
		return errors.Join(cli.PrintDocument(o.Out, o.output, doc), unclean)
	}
	if len(plan.Installed) > 0 {
		o.Screen().Say("There is no installation named %s on %s. There is: %s", o.name, plan.Cluster(), strings.Join(plan.Installed, ", "))
	} else {
		o.Screen().Say("Nothing to uninstall: this plugin has no record of an installation on %s.", plan.Cluster())
	}
	return unclean
}
