package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	sentences "github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// The exit codes, the same for every command and output format.
const (
	exitOK          = 0
	exitError       = 1 // failed
	exitUsage       = 2 // usage error, invalid input, or confirmation required
	exitFound       = 3 // completed; findings or differences remain
	exitTimeout     = 4 // timed out waiting
	exitInterrupted = 130
)

// run executes the command line and returns the exit code. It is the only place that maps errors to exit codes.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	klog.SetLogger(klog.Logger{}) // the zero logger drops client-go's log, which is for its developers
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once

	d := cli.NewDeps(genericiooptions.IOStreams{In: in, Out: escape.Terminal(out), ErrOut: escape.Terminal(errOut).Masking(redact.Message)})
	root := newRootCommand(d)
	root.SetArgs(cli.JoinValues(args))
	err := d.Explain(root.ExecuteContext(ctx))
	d.Idle()
	code := exitCode(ctx, err)
	report(d.ErrOut, err, code) // with -o json, ErrOut is a stream of events
	return code
}

func exitCode(ctx context.Context, err error) int {
	var known *problem.Error
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, cli.ErrFound):
		return exitFound
	case errors.As(err, &known) && known.Usage:
		return exitUsage
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	}
	return exitError
}

// report prints one sentence of what happened and one of what to do next.
func report(w io.Writer, err error, code int) {
	var known *problem.Error
	what, next := "", ""
	switch {
	case err == nil, errors.Is(err, cli.ErrFound):
		return
	case errors.Is(err, cli.ErrCancelled):
		fmt.Fprintln(w, "Cancelled. Nothing was changed.")
		return
	case errors.As(err, &known) && (code != exitInterrupted || strings.HasPrefix(known.What, "interrupted")):
		what, next = known.Error(), known.Advice()
	case code == exitInterrupted: // what failed because of that is of no interest
		what, next = "interrupted", "Run the same command again to resume"
	default:
		what = err.Error()
	}
	if code == exitInterrupted { // no error, and in one sentence
		fmt.Fprintf(w, "%s. %s.\n", sentences.Capitalized(strings.TrimRight(ui.Indented(what), ".")), strings.TrimRight(ui.Indented(next), "."))
		return
	}
	fmt.Fprintf(w, "error: %s\n", ui.Indented(what))
	if next != "" {
		fmt.Fprintln(w, ui.Indented(next))
	}
}
