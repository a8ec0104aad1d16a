package cli

import (
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui/progress"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// ShowBusy shows on a terminal what a command does while it prints nothing. Idle ends it.
func (d *Deps) ShowBusy() {
	d.busy = progress.NewBusy(d.ErrOut, d.Color)
	if d.busy == nil {
		return
	}
	for _, stream := range []any{d.Out, d.ErrOut} {
		if w, ok := stream.(*escape.Writer); ok {
			w.Before(d.busy.Printing)
		}
	}
}

// Idle ends what ShowBusy shows: the command is done, or waits for the user.
func (d *Deps) Idle() { d.busy.Close() }

// Step shows what is done now, where nothing else is printed meanwhile. "" ends it.
func (d *Deps) Step(format string, args ...any) { d.busy.Step(fmt.Sprintf(format, args...)) }

// connecting says what a command does that has not said it itself. A program that signs in may ask for something on the same
// terminal, so until the server has answered nothing is drawn over it.
func connecting(client *cluster.Client) func() (string, bool) {
	return func() (string, bool) {
		switch {
		case client.Reached():
			return "Reading the cluster", false
		case client.Context == "":
			return "Connecting to " + client.Server(), client.Config.ExecProvider != nil
		}
		return fmt.Sprintf("Connecting to %s (context %s)", client.Server(), client.Context), client.Config.ExecProvider != nil
	}
}
