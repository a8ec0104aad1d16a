package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// The exit codes, the same for every command and output format.
const (
	exitDone        = 0
	exitError       = 1 // could not finish, or could not look
	exitUsage       = 2 // wrong usage or bad input
	exitFound       = 3 // finished, and findings or differences remain
	exitTimeout     = 4 // timed out waiting
	exitInterrupted = 130
)

// run does what the command line says and returns the exit code. It is the only place that turns errors into one.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	klog.SetLogger(klog.Logger{}) // client-go's own log is for its developers: the zero logger drops it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once

	d := cli.NewDeps(genericiooptions.IOStreams{In: in, Out: out, ErrOut: errOut})
	root := newRootCommand(d)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && d.Client != nil {
		err = d.Client.Explain(err)
	}
	code := exitCode(ctx, err)
	report(d.ErrOut, err, code) // with -o json that is a stream of events
	return code
}

func exitCode(ctx context.Context, err error) int {
	var known *problem.Error
	switch {
	case err == nil:
		return exitDone
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
	case errors.As(err, &known):
		what, next = known.Error(), known.Advice()
	case code == exitInterrupted:
		what, next = "interrupted", "Run the same command again to go on."
	default:
		what = err.Error()
	}
	fmt.Fprintf(w, "error: %s\n", what)
	if next != "" {
		fmt.Fprintln(w, next)
	}
}
