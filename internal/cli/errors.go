package cli

import "errors"

// ErrFound ends a command that finished, and whose result says that something is left to do.
// The result is on the screen already: nothing more is printed.
var ErrFound = errors.New("findings remain")
