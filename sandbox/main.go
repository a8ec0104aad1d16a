package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := newCommand().ExecuteContext(ctx)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err == nil:
	case interrupted && errors.Is(err, context.Canceled):
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "sandbox",
		Short:         "Run a local AKS-like cluster without Docker",
		Long:          "sandbox runs a real Kubernetes control plane on 127.0.0.1, with simulated nodes\nand small controllers that simulate what AKS adds.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.AddCommand(newUpCommand(), newDownCommand(), newStatusCommand(), newRunCommand(), newAPIServerCommand(), newBuildCommand(), newKubectlCommand())
	return cmd
}
