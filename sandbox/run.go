package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

type runOptions struct {
	cluster.Options
	withStdin bool
}

func newRunCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a sandbox in the foreground, until Ctrl-C",
		Long:  "run starts a sandbox, prints one line, \"ready KUBECONFIG\", and keeps it running until\nit is interrupted. It leaves no processes or files behind, however it ends.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bindOptions(cmd.Flags(), &o.Options)
	cmd.Flags().BoolVar(&o.withStdin, "with-stdin", false, "stop also when standard input ends")
	return cmd
}

func run(ctx context.Context, o runOptions, in io.Reader, out, log io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.withStdin {
		go func() {
			_, _ = io.Copy(io.Discard, in)
			cancel()
		}()
	}
	o.Log = log
	if o.Name == "" { // several test binaries may run in parallel
		o.Name = fmt.Sprintf("run-%d", os.Getpid())
	}
	c, err := cluster.Start(ctx, o.Options)
	if err != nil {
		return err
	}
	defer c.Stop()
	if _, err := fmt.Fprintln(out, "ready", c.Place.ForUsers()); err != nil {
		return err
	}
	return c.Wait(ctx)
}
