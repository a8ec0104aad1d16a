package portforward

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// DefaultPort is the default port of --port-forward.
const DefaultPort = 8080

// Listen opens the local end of a port-forward: address is an IP, or "localhost" for both of its IPs.
// Port 0 means the default port, or the next free one; any other port is used or returns an error.
func Listen(address string, port int) ([]net.Listener, error) {
	if port != 0 {
		listeners, err := listenOn(address, port)
		if inUse(err) {
			return nil, &problem.Error{Err: err,
				What: fmt.Sprintf("port %d of %s is in use by another program", port, address),
				Next: "Choose another one with --port, or omit --port to use the next free one"}
		}
		return listeners, err
	}
	for port = DefaultPort; port < DefaultPort+100; port++ {
		listeners, err := listenOn(address, port)
		if !inUse(err) {
			return listeners, err
		}
	}
	return listenOn(address, 0)
}

func listenOn(address string, port int) ([]net.Listener, error) {
	if address != "localhost" {
		l, err := listenIP(address, port)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	four, err := listenIP("127.0.0.1", port)
	if err != nil {
		return nil, err
	}
	six, err := listenIP("::1", four.Addr().(*net.TCPAddr).Port)
	if inUse(err) { // a browser might go there first
		four.Close()
		return nil, err
	}
	if err != nil { // no IPv6 here
		return []net.Listener{four}, nil
	}
	return []net.Listener{four, six}, nil
}

func listenIP(address string, port int) (net.Listener, error) {
	if net.ParseIP(address) == nil {
		return nil, &problem.Error{What: fmt.Sprintf("%q is not an IP address of this computer", address), Next: "Use --address localhost, 127.0.0.1 or 0.0.0.0"}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("listening on %s port %d: %w", address, port, err)
	}
	return l, nil
}

// inUse reports whether another program has the port. Windows has another number for that (WSAEADDRINUSE).
func inUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.Errno(10048))
}

// LocalURL returns what to open for listeners of Listen.
func LocalURL(listeners []net.Listener, tls bool) string {
	address := listeners[0].Addr().(*net.TCPAddr)
	host := address.IP.String()
	if address.IP.IsLoopback() || address.IP.IsUnspecified() {
		host = "localhost" // the name for which browsers keep Secure cookies without TLS
	}
	return dashboard.URLFor(host, int32(address.Port), tls)
}
