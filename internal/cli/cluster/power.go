package cluster

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
)

// A power is starting or stopping.
type power struct {
	use, short, long, done string
	asks                   bool
	act                    func(c *azure.Client, ctx context.Context, group, name string, progress azure.Progress) error
}

var (
	starting = power{"start", "Start a stopped cluster", "Start a stopped cluster. What was on its disks is there.", "started", false, (*azure.Client).Start}
	stopping = power{"stop", "Stop a cluster, so that its nodes cost nothing", `Stop a cluster: its nodes are deallocated and cost nothing, its disks stay.
Kubeflow does not run until the cluster is started again.`, "stopped", true, (*azure.Client).Stop}
)

func newPowerCommand(d *cli.Deps, w power) *cobra.Command {
	p := &place{Deps: d}
	var yes bool
	cmd := &cobra.Command{
		Use: w.use + " NAME", Short: w.short, Long: w.long,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.name(cmd, args); err != nil {
				return err
			}
			ctx, name := cmd.Context(), args[0]
			client, err := p.client(ctx)
			if err != nil {
				return err
			}
			if w.asks {
				if err := p.Agree(ctx, yes, text.Capitalized(w.use)+" cluster "+name+"? Everything in it stops.", "Confirm with --yes"); err != nil {
					return err
				}
			}
			if err := w.act(client, ctx, p.group, name, p.progress()); err != nil {
				return err
			}
			p.Step("")
			s := p.Screen()
			s.Say("%s Cluster %s is %s", s.Done(), name, w.done)
			return nil
		},
	}
	p.addFlags(cmd)
	if w.asks {
		cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	}
	return cmd
}
