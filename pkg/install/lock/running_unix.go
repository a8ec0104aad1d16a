//go:build unix

package lock

import (
	"errors"
	"syscall"
)

// running tells whether there is a process of this number; in doubt there is.
func running(process int) bool {
	return !errors.Is(syscall.Kill(process, 0), syscall.ESRCH)
}
