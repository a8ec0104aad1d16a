package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/network"
)

// The limit for a Unix socket's path is little more on Linux, and less on macOS.
const longestSocketPath = 100

// listen opens the socket through which the API server reaches the cluster network.
func (c *Cluster) listen() (net.Listener, error) {
	c.sockets = c.place.Dir
	if len(filepath.Join(c.sockets, "kubelet.sock")) > longestSocketPath {
		dir, err := os.MkdirTemp("", "sandbox-")
		if err != nil {
			return nil, err
		}
		c.sockets = dir
	}
	listener, err := net.Listen("unix", filepath.Join(c.sockets, "egress.sock"))
	if err != nil {
		return nil, fmt.Errorf("opening the way into the cluster network: %w", err)
	}
	return listener, nil
}

// connect serves the cluster network until ctx ends.
func (c *Cluster) connect(ctx context.Context, client kubernetes.Interface, egress net.Listener, backends network.Backends) error {
	directory, err := network.NewDirectory(ctx, client)
	if err != nil {
		return err
	}
	pair, err := c.control.KubeletPair()
	if err != nil {
		return err
	}
	cert, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return err
	}
	kubelet, err := network.NewKubelet(ctx, c.sockets, cert, c.control.KwokAddress(), directory, backends)
	if err != nil {
		return err
	}
	proxy := &network.Proxy{Directory: directory, Backends: backends, APIServer: c.control.Address(), Kubelet: kubelet}
	go func() { _ = proxy.Serve(ctx, egress) }() // ends with ctx
	return nil
}
