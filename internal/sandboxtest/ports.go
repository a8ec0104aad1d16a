package sandboxtest

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"testing"
)

// NeedsAddresses skips a test of load balancers' addresses where this user may not listen on ports 80 and 443, as the
// sandbox's load balancers do: Linux lets root alone, unless told otherwise. CI has to have them.
func NeedsAddresses(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:80")
	if err == nil {
		listener.Close()
	}
	if !errors.Is(err, fs.ErrPermission) { // somebody else who listens there is in nobody's way
		return
	}
	const why = "this user may not listen on port 80: sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80"
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}
