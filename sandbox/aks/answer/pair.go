package answer

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// pair returns the two ends of a connection. Unlike net.Pipe it has buffers:
// without them, two TLS ends that write at the same time would deadlock.
func pair() (near, far net.Conn, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("creating a connection: %w", err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		syscall.CloseOnExec(fd)
		file := os.NewFile(uintptr(fd), "pair")
		end, connErr := net.FileConn(file)
		file.Close()
		if connErr != nil {
			err = fmt.Errorf("creating a connection: %w", connErr)
			continue
		}
		ends[i] = end
	}
	if err != nil {
		for _, end := range ends {
			if end != nil {
				end.Close()
			}
		}
		return nil, nil, err
	}
	return ends[0], ends[1], nil
}
