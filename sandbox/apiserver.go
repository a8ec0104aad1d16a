package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

func newAPIServerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apiserver",
		Short: "Stop and start the API server of a running sandbox",
		Long:  "apiserver stops a sandbox's API server with SIGKILL and starts it again, at the same address and with\nthe same etcd, for tests of how programs get over that. Everything else keeps running.",
	}
	var name string
	cmd.PersistentFlags().StringVar(&name, "name", "", "sandbox, or the path of its kubeconfig; required if there are several")
	var down time.Duration
	add := func(use, short string, do func(context.Context, cluster.Place) error) *cobra.Command {
		sub := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return onAPIServer(cmd.Context(), name, use, cmd.ErrOrStderr(), do)
		}}
		cmd.AddCommand(sub)
		return sub
	}
	stop := func(ctx context.Context, p cluster.Place) error { return p.StopAPIServer(ctx) }
	start := func(ctx context.Context, p cluster.Place) error { return p.StartAPIServer(ctx) }
	add("stop", "Kill the API server; return when it is gone", stop)
	add("start", "Start it again; return when it is ready", start)
	add("restart", "Kill it, wait, and start it again", func(ctx context.Context, p cluster.Place) error {
		if err := stop(ctx, p); err != nil {
			return err
		}
		select {
		case <-time.After(down):
		case <-ctx.Done():
		}
		return start(context.WithoutCancel(ctx), p)
	}).Flags().DurationVar(&down, "down", 2*time.Second, "how long it is gone")
	return cmd
}

func onAPIServer(ctx context.Context, name, verb string, log io.Writer, do func(context.Context, cluster.Place) error) error {
	places, err := cluster.List()
	if err != nil {
		return err
	}
	var chosen []cluster.Place
	for _, p := range places {
		if name == "" || p.Name == name || p.Kubeconfig == name || p.ForUsers() == name {
			chosen = append(chosen, p)
		}
	}
	switch {
	case len(chosen) == 0:
		return fmt.Errorf("%s: %w", name, cluster.ErrNone)
	case len(chosen) > 1:
		return errors.New("there are several sandboxes: use --name")
	}
	if err := do(ctx, chosen[0]); err != nil {
		return err
	}
	fmt.Fprintf(log, "sandbox: apiserver %s of %s is done\n", verb, chosen[0].Name)
	return nil
}
