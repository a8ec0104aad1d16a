package lock

import "os"

// running reports whether a process with this PID exists.
func running(process int) bool {
	p, err := os.FindProcess(process)
	if err != nil {
		return false
	}
	_ = p.Release()
	return true
}
