package cli

import (
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// ErrFound ends a command that finished, and whose result says that something is left to do.
// The result is on the screen already: nothing more is printed.
var ErrFound = errors.New("findings remain")

// A UsageError is the user's to correct: a wrong flag, a missing yes.
type UsageError = kubeflow.UsageError
