//go:build unix

package lock

import (
	"errors"
	"syscall"
)

// running reports whether a process with this PID exists; in doubt it does.
func running(process int) bool {
	return !errors.Is(syscall.Kill(process, 0), syscall.ESRCH)
}
