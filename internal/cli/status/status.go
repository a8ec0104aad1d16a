package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
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

var statusOutput = cli.Outputs("", "json", "yaml", "wide", "name (what is not ready, one a line)")

// NewCommand returns the command "kubectl kubeflow status".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &statusOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "status", Short: "Say how Kubeflow is: components, what is not ready and why",
		Long: `Says how the Kubeflow of this cluster is: its release, each component, what is
not ready and why, where the dashboard is, and the nodes it runs on.

It compares the record that install keeps with the cluster. A Kubeflow that was
installed by other means is recognised by its workloads.

Exit code 0 when everything is ready, 3 when something is not, 4 when --wait ran
out, 1 when there is no Kubeflow or it could not be looked at.`,
		Example: `  kubectl kubeflow status                       # at a glance
  kubectl kubeflow status --watch               # and how it changes
  kubectl kubeflow status --tree                # down to the pods
  kubectl kubeflow status --wait --timeout 10m  # until it is ready
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
	f.BoolVarP(&o.watch, "watch", "w", false, "show it again whenever it changes, until Ctrl-C")
	f.BoolVar(&o.tree, "tree", false, "as a tree: components, objects that are not ready, their ReplicaSets and pods; with -o wide all of them")
	f.BoolVar(&o.wait, "wait", false, "wait until everything is ready")
	f.DurationVar(&o.timeout, "timeout", 30*time.Minute, "with --wait: give up after this `DURATION`")
	f.StringVar(&o.name, "name", "", "the `NAME` of the installation (default the Kubeflow of this cluster)")
	statusOutput.Add(cmd, f, &o.output, "o", "print it as `FORMAT`: %s")
	return cmd
}

func (o *statusOptions) validate() error {
	if err := statusOutput.Check(o.output); err != nil {
		return err
	}
	switch {
	case o.watch && o.wait:
		return &problem.Error{Usage: true, What: "--watch and --wait exclude each other", Next: "Choose --watch to look on, or --wait to end when everything is ready"}
	case o.watch && (o.output == "yaml" || o.output == "name"):
		return &problem.Error{Usage: true, What: "--watch has no output format " + o.output, Next: "With -o json each change is one document on a line of its own"}
	case o.tree && o.output == "name":
		return &problem.Error{Usage: true, What: "--tree says nothing with -o name", Next: "Leave one of them out"}
	case o.timeout <= 0:
		return &problem.Error{Usage: true, What: "--timeout must be longer than nothing", Next: "For example: --timeout 10m"}
	}
	return nil
}

// run looks, once or again and again. What asks for a document gets one, also where there is nothing to tell of.
func run(ctx context.Context, o *statusOptions) error {
	client, err := o.Connect()
	if err != nil {
		return o.unseen(nil, err)
	}
	if o.watch || o.wait {
		return o.follow(ctx, client)
	}
	overview, err := kubeflow.ReadStatus(ctx, client, o.wanted())
	if err != nil {
		return o.unseen(client, err)
	}
	return errors.Join(o.show(overview, 0), howItIs(overview))
}

func (o *statusOptions) wanted() kubeflow.StatusOptions {
	return kubeflow.StatusOptions{Name: o.name, Tree: o.tree, All: o.tree && o.output == "wide", Now: o.Now}
}

// unseen ends a look that did not come to anything.
func (o *statusOptions) unseen(client *cluster.Client, err error) error {
	if client != nil {
		err = client.Explain(err)
	}
	if o.output != "json" && o.output != "yaml" {
		return err
	}
	overview := kubeflow.NewOverview(client)
	overview.Error = err.Error()
	return errors.Join(cli.PrintDocument(o.Out, o.output, overview), err)
}

// show prints an overview in the format that was asked for.
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
		return nil
	}
	style := ui.StatusStyle{Tree: o.tree, Wide: o.output == "wide", Now: o.Now(), Rows: rows}
	switch {
	case overview.AtWork != nil, overview.Inconclusive():
	case overview.Uninstalling:
		style.Next = "kubectl kubeflow uninstall goes on with the uninstall that was cut off"
	case overview.Incomplete() && overview.Release.Name != "":
		style.Next = "kubectl kubeflow install --release " + overview.Release.Name + " puts back what is missing"
	case !overview.Ready:
		style.Next = "kubectl kubeflow doctor"
	case overview.Dashboard.URL == "":
		style.Next = "kubectl kubeflow expose"
	}
	return o.Screen().Status(overview, style)
}

// howItIs is how a status ends, as an error: nil when everything is ready.
func howItIs(overview *kubeflow.Overview) error {
	switch {
	case overview.Ready:
		return nil
	case overview.Inconclusive():
		return &problem.Error{What: "what matters could not be looked at", Next: "Ask the cluster's administrator for permission to list workloads, or name another user with --context"}
	}
	return cli.ErrFound
}
