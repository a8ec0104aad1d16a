package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

func newDownCommand() *cobra.Command {
	var name string
	var all bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop a sandbox and remove its files",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return down(cmd.Context(), name, all, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "sandbox to stop; required if there are several")
	cmd.Flags().BoolVar(&all, "all", false, "stop all sandboxes")
	cmd.MarkFlagsMutuallyExclusive("name", "all")
	return cmd
}

func down(ctx context.Context, name string, all bool, log io.Writer) error {
	names := []string{name}
	if name == "" {
		places, err := cluster.List()
		if err != nil {
			return err
		}
		if len(places) > 1 && !all {
			return errors.New("there are several sandboxes: use --name or --all")
		}
		names = nil
		for _, place := range places {
			names = append(names, place.Name)
		}
	}
	if len(names) == 0 {
		fmt.Fprintln(log, "sandbox: no sandbox is running")
	}
	for _, name := range names {
		if err := cluster.Down(ctx, name); err != nil {
			return err
		}
		fmt.Fprintf(log, "sandbox: %s is removed\n", name)
	}
	return nil
}
