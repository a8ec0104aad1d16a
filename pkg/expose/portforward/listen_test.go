package portforward

import (
	"errors"
	"net"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

func TestAPortInUseIsAnErrorOnlyIfRequested(t *testing.T) {
	taken, err := Listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer taken[0].Close()
	port := taken[0].Addr().(*net.TCPAddr).Port
	var failure *problem.Error
	if _, err := Listen("127.0.0.1", port); !errors.As(err, &failure) || failure.Next == "" {
		t.Errorf("asked for: %v", err)
	}
	next, err := Listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer next[0].Close()
	if got := next[0].Addr().(*net.TCPAddr).Port; got == port {
		t.Errorf("port %d is used twice", got)
	}
}

func TestLocalhostListensOnIPv4AndIPv6(t *testing.T) {
	listeners, err := Listen("localhost", 0)
	if err != nil {
		t.Fatal(err)
	}
	port := listeners[0].Addr().(*net.TCPAddr).Port
	for _, l := range listeners {
		defer l.Close()
		if got := l.Addr().(*net.TCPAddr).Port; got != port {
			t.Errorf("two ports: %d and %d", port, got)
		}
	}
	if url := LocalURL(listeners, false); url != dashboard.URLFor("localhost", int32(port), false) {
		t.Error(url)
	}
}

func TestAnAddressOfAnotherHostIsRefused(t *testing.T) {
	for _, address := range []string{"example.com", "", "300.1.1.1"} {
		if l, err := Listen(address, 0); err == nil {
			l[0].Close()
			t.Errorf("listens on %q", address)
		}
	}
}
