package cli

import (
	"context"
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// ErrCancelled is the error of a command whose question was answered with no, before anything was changed (exit code 1).
var ErrCancelled = errors.New("cancelled, nothing was changed")

// Agree asks a question, unless yes was given with a flag. No is ErrCancelled. Without a terminal nobody can answer: that is a
// usage error, which names the flags to confirm or preview with.
func (d *Deps) Agree(ctx context.Context, yes bool, question, flags string) error {
	if yes {
		return nil
	}
	if err := d.MustAsk(flags); err != nil {
		return err
	}
	agreed, err := d.Screen().Confirm(ctx, question)
	if err == nil && !agreed {
		return ErrCancelled
	}
	return err
}

// MustAsk is the error of a question that nobody can answer; nil on a terminal.
func (d *Deps) MustAsk(flags string) error {
	if d.Screen().Interactive {
		return nil
	}
	return &problem.Error{Usage: true, What: "confirmation required: this is not a terminal", Next: flags}
}
