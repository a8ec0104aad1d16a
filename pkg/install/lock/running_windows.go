package lock

import "os"

// running tells whether there is a process of this number.
func running(process int) bool {
	p, err := os.FindProcess(process)
	if err != nil {
		return false
	}
	_ = p.Release()
	return true
}
