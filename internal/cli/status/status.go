package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

type statusOptions struct {
	*cli.Deps
	name        string
	tree        bool
	watch, wait bool
	timeout     time.Duration
	output      string
}

var statusOutput = cli.Outputs("", "json", "yaml", "wide", "name (objects that are not ready, or have drifted)")

// NewCommand returns the command "kubectl kubeflow status".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &statusOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "status", SuggestFor: []string{"get", "list", "info"}, Short: "Show the status of Kubeflow: components, what is not ready and why",
		Long: `Show the status of Kubeflow on the cluster of the current context: its release,
each component, what is not ready and why, the address of the dashboard, and the
nodes.

The status compares the cluster with the inventory that install records. A
Kubeflow that was installed by other means is recognised by its workloads.

Exit codes: 0 everything is ready, 1 Kubeflow was not found or could not be
read, 3 something is not ready, 4 --wait timed out.`,
		Example: `  kubectl kubeflow status                       # summary
  kubectl kubeflow status --watch               # update continuously
  kubectl kubeflow status --tree                # including pods
  kubectl kubeflow status --wait --timeout 10m  # wait until ready
  kubectl kubeflow status -o json               # for scripts`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVarP(&o.watch, "watch", "w", false, "update the status when it changes, until Ctrl-C")
	f.BoolVar(&o.tree, "tree", false, "show a tree of components, objects that are not ready, their ReplicaSets and pods; with -o wide all objects")
	f.BoolVar(&o.wait, "wait", false, "wait until everything is ready")
	f.DurationVar(&o.timeout, "timeout", 30*time.Minute, "with --wait: time out after this `DURATION`")
	f.StringVar(&o.name, "name", "", "the `NAME` of the installation (default the Kubeflow of the cluster)")
	statusOutput.Add(cmd, f, &o.output, "o", "print the status as `FORMAT`: %s")
	return cmd
}

func (o *statusOptions) validate() error {
	if err := statusOutput.Check(o.output); err != nil {
		return err
	}
	switch {
	case o.watch && o.wait:
		return &problem.Error{Usage: true, What: "--watch and --wait are mutually exclusive", Next: "Use --watch to follow the status, or --wait to exit when everything is ready"}
	case o.watch && (o.output == "yaml" || o.output == "name"):
		return &problem.Error{Usage: true, What: "--watch does not support -o " + o.output, Next: "-o json prints one document per line for each change"}
	case o.tree && o.output == "name":
		return &problem.Error{Usage: true, What: "--tree cannot be used with -o name", Next: "Specify one of them"}
	case o.timeout <= 0:
		return cli.Positive(o.timeout, "10m")
	}
	return nil
}

// run shows the status, once or repeatedly. With -o json or yaml it writes a document even if the status could not be read.
func run(ctx context.Context, o *statusOptions) error {
	client, err := o.Connect()
	if err != nil {
		return o.failed(nil, err)
	}
	if o.watch || o.wait {
		return o.follow(ctx, client)
	}
	overview, err := kubeflow.ReadStatus(ctx, client, o.readOptions())
	if err != nil {
		return o.failed(client, err)
	}
	return errors.Join(o.show(overview, 0), verdict(overview))
}

func (o *statusOptions) readOptions() kubeflow.StatusOptions {
	return kubeflow.StatusOptions{Name: o.name, Tree: o.tree, All: o.tree && o.output == "wide", Now: o.Now}
}

// failed returns the error of a status that could not be read, and writes it as the -o document.
func (o *statusOptions) failed(client *cluster.Client, err error) error {
	if client != nil {
		err = client.Explain(err)
	}
	if o.output != "json" && o.output != "yaml" {
		return err
	}
	overview := kubeflow.NewOverview(client)
	overview.Error = redact.Message(err.Error())
	return errors.Join(cli.PrintDocument(o.Out, o.output, overview), err)
}

// show prints an overview in the chosen format.
func (o *statusOptions) show(overview *kubeflow.Overview, rows int) error {
	switch o.output {
	case "json", "yaml":
		return cli.PrintDocument(o.Out, o.output, overview)
	case "name":
		for _, c := range overview.Components {
			for _, item := range c.Items {
				fmt.Fprintln(o.Out, item.Ref)
			}
		}
		for _, drift := range overview.Drift {
			fmt.Fprintln(o.Out, drift.Ref)
		}
		return nil
	}
	style := ui.StatusStyle{Tree: o.tree, Wide: o.output == "wide", Verbose: o.Verbosity > 0, Now: o.Now(), Rows: rows}
	switch {
	case overview.AtWork != nil, overview.Inconclusive():
	case overview.Uninstalling:
		style.Next = "kubectl kubeflow uninstall (resumes the interrupted uninstall)"
	case (overview.Incomplete() || overview.Interrupted > 0) && overview.Release.Name != "":
		style.Next = "kubectl kubeflow install --release " + escape.Word(overview.Release.Name) + " (restores what is missing)"
	case !overview.Ready:
		style.Next = "kubectl kubeflow doctor"
	case overview.Dashboard.URL == "":
		style.Next = "kubectl kubeflow expose"
	}
	return o.Screen().Status(overview, style)
}

// verdict maps a status to the error of the command: nil if everything is ready.
func verdict(overview *kubeflow.Overview) error {
	switch {
	case overview.Ready:
		return nil
	case overview.Inconclusive():
		return &problem.Error{What: "the workloads could not be read", Next: "Ask the administrator of the cluster for permission to list workloads, or select another user with --context"}
	}
	return cli.ErrFound
}
