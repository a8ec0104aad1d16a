package cli

import "errors"

// ErrFound is the error of a command that completed, but whose result has findings or differences (exit code 3).
// The result has been printed, and the error itself is not.
var ErrFound = errors.New("findings remain")
