package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

func newUpCommand() *cobra.Command {
	var o cluster.Options
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a sandbox in the background and wait until it is ready",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bindOptions(cmd.Flags(), &o)
	return cmd
}

// up starts this program again as run, in its own session.
func up(ctx context.Context, o cluster.Options, out, log io.Writer) error {
	version, err := build.Resolve(o.Kubernetes)
	if err != nil {
		return err
	}
	if o.Kubernetes = version; o.Name == "" {
		o.Name = version
	}
	if place, err := cluster.Find(o.Name); err == nil && place.Running && place.Ready {
		fmt.Fprintf(log, "sandbox: %s is already running, with Kubernetes %s\n", place.Name, place.Kubernetes)
		tellIdentity(log, place)
		return printExport(out, place)
	}
	if _, err := build.Ensure(ctx, version, log); err != nil { // in the foreground, so that its progress is visible
		return err
	}
	start := time.Now()
	if err := daemon(ctx, o); err != nil {
		return err
	}
	place, err := cluster.Find(o.Name)
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "sandbox: %s is ready after %s: Kubernetes %s, context sandbox-%s\n",
		place.Name, time.Since(start).Round(100*time.Millisecond), place.Kubernetes, place.Name)
	tellIdentity(log, place)
	return printExport(out, place)
}

// tellIdentity prints what a sandbox's identity provider has registered.
func tellIdentity(log io.Writer, place cluster.Place) {
	if text, err := os.ReadFile(place.Identity); err == nil {
		fmt.Fprintf(log, "sandbox: the identity provider, as %s has it:\n%s\n", place.Identity, text)
	}
}

func printExport(out io.Writer, place cluster.Place) error {
	file := place.ForUsers()
	if place.Exported != "" {
		file = place.Exported
	}
	if strings.ContainsFunc(file, func(r rune) bool {
		return !strings.ContainsRune("/._-+,:@", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		file = "'" + strings.ReplaceAll(file, "'", `'\''`) + "'" // quoted for the shell
	}
	_, err := fmt.Fprintf(out, "export KUBECONFIG=%s\n", file)
	return err
}

// daemon starts the background process and returns when it reports ready. Its
// output goes to a file, because a pipe would break when this process ends.
func daemon(ctx context.Context, o cluster.Options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sandbox-up-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	output, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command(self, append([]string{"run"}, arguments(o)...)...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		content, _ := os.ReadFile(output.Name())
		if strings.Contains("\n"+string(content), "\nready ") {
			return nil
		}
		select {
		case <-ended:
			content, _ := os.ReadFile(output.Name())
			return errors.New(strings.TrimPrefix(strings.TrimSpace(string(content)), "sandbox: "))
		case <-ctx.Done():
			_ = cmd.Process.Signal(os.Interrupt)
			<-ended
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
