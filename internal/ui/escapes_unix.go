//go:build !windows

package ui

import "io"

// escapes reports whether a terminal understands escape sequences: all do that are not called dumb.
func escapes(io.Writer) bool { return true }
