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
		Short: "End a sandbox and remove all that is left of it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return down(cmd.Context(), name, all, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "which one; needed only when there are several")
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
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
			return errors.New("there are several sandboxes: say which with --name, or --all")
		}
		names = nil
		for _, place := range places {
			names = append(names, place.Name)
		}
	}
	if len(names) == 0 {
		fmt.Fprintln(log, "sandbox: none is running")
	}
	for _, name := range names {
		if err := cluster.Down(ctx, name); err != nil {
			return err
		}
		fmt.Fprintf(log, "sandbox: %s is gone\n", name)
	}
	return nil
}
