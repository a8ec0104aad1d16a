package cli

import (
	"context"
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// ErrFound is the error of a command that completed, but whose result has findings or differences (exit code 3).
// The result has been printed, and the error itself is not.
var ErrFound = errors.New("findings remain")

// Interrupted adds to the error of a fix that ended early how to resume or undo it, if it has changed anything.
func Interrupted(r *doctor.Report, err error) error {
	for _, t := range r.Fixes {
		if t.Run != "" {
			return &problem.Error{What: Unfinished("fix", err), Next: "Resume with the same command, or undo it with: kubectl kubeflow doctor --undo=" + escape.Word(t.Run), Err: err}
		}
	}
	return err
}

// Unfinished says that a run was interrupted, or why it did not complete. what is "fix" or "undo".
func Unfinished(what string, err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted: the " + what + " is not complete"
	}
	return what + " not completed: " + err.Error()
}
