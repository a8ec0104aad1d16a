//go:build unix

package install

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// A cutter forwards connections to an API server, and closes all open ones on demand.
type cutter struct {
	mu   sync.Mutex
	open []net.Conn
	cuts int
}

func (c *cutter) serve(listener net.Listener, server string) {
	for {
		in, err := listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", server)
		if err != nil {
			in.Close()
			continue
		}
		c.mu.Lock()
		c.open = append(c.open, in, out)
		c.mu.Unlock()
		go func() { _, _ = io.Copy(out, in); out.Close() }()
		go func() { _, _ = io.Copy(in, out); in.Close() }()
	}
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, connection := range c.open {
		connection.Close()
	}
	c.open, c.cuts = nil, c.cuts+1
}

func TestAnInstallSurvivesDroppedConnections(t *testing.T) {
	direct := live(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c := &cutter{}
	go c.serve(listener, strings.TrimPrefix(direct.Server(), "https://"))

	address := "https://" + listener.Addr().String()
	client := sandboxtest.Connect(t, sharedFile, func(flags *genericclioptions.ConfigFlags) { flags.APIServer = &address })
	applied := 0
	_, err = installYAML(t, client, "dropped", strings.ReplaceAll(shop, "shop", "dropped"), apply.Options{Timeout: 2 * time.Minute, Observe: func(e events.Event) {
		if _, ok := e.(events.ObjectApplied); ok {
			if applied++; applied%3 == 0 {
				c.cut()
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if c.cuts < 3 {
		t.Errorf("the connections were cut %d times, want at least 3", c.cuts)
	}
	if result := mustInstallYAML(t, direct, "dropped", strings.ReplaceAll(shop, "shop", "dropped")); result.Changed != 0 {
		t.Errorf("the next install changed %d objects, want none", result.Changed)
	}
}
