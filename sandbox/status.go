package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

func newStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List the sandboxes of this user",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			places, err := cluster.List()
			if err != nil {
				return err
			}
			return printStatus(cmd.OutOrStdout(), places, time.Now())
		},
	}
}

func printStatus(out io.Writer, places []cluster.Place, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tKUBERNETES\tAGE\tPID\tKUBECONFIG")
	for _, p := range places {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n",
			p.Name, state(p), p.Kubernetes, now.Sub(p.Started).Round(time.Second), p.PID, p.Kubeconfig)
	}
	return table.Flush()
}

func state(p cluster.Place) string {
	switch {
	case !p.Running:
		return "dead (down removes it)"
	case !p.Ready:
		return "starting"
	default:
		return "ready"
	}
}
