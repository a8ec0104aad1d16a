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

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
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

// errFound ends a command that finished, and whose result says that something is left to do.
// The result is on the screen already: nothing more is printed.
var errFound = errors.New("findings remain")

// A usageError is the user's to correct: a wrong flag, a missing yes.
type usageError = kubeflow.UsageError

// run does what the command line says and returns the exit code. It is the only place that turns errors into one.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	klog.SetLogger(klog.Logger{}) // client-go's own log is for its developers: the zero logger drops it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once

	d := newDeps(genericiooptions.IOStreams{In: in, Out: out, ErrOut: errOut})
	root := newRootCommand(d)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && d.client != nil {
		err = d.client.Explain(err)
	}
	code := exitCode(ctx, err)
	report(d.ErrOut, err, code) // with -o json that is a stream of events
	return code
}

func exitCode(ctx context.Context, err error) int {
	var usage *usageError
	var input *release.InputError
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, errFound):
		return exitFound
	case errors.As(err, &usage), errors.As(err, &input):
		return exitUsage
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	}
	return exitError
}

// report says one sentence of what happened and one of what to do next.
func report(w io.Writer, err error, code int) {
	var usage *usageError
	var input *release.InputError
	var problem *cluster.Problem
	what, next := "", ""
	switch {
	case err == nil, errors.Is(err, errFound):
		return
	case errors.As(err, &usage):
		what, next = usage.What, usage.Next
	case errors.As(err, &input):
		what, next = input.Happened(), capitalized(input.Do)
	case errors.As(err, &problem):
		what, next = problem.What, problem.Next
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

func capitalized(sentence string) string {
	if sentence == "" {
		return ""
	}
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}
