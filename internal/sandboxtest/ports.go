package sandboxtest

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"testing"
)

// MayListen tells whether this user may listen on ports 80 and 443, as the sandbox's load balancers do. Linux lets root
// alone, unless net.ipv4.ip_unprivileged_port_start says otherwise.
func MayListen() bool {
	listener, err := net.Listen("tcp", "127.0.0.1:80")
	if err == nil {
		listener.Close()
	}
	return !errors.Is(err, fs.ErrPermission)
}

// NeedsAddresses skips a test of load balancers' addresses where they cannot be had. CI has to have them.
func NeedsAddresses(t *testing.T) {
	t.Helper()
	if MayListen() {
		return
	}
	const why = "this user may not listen on port 80: sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80"
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}
