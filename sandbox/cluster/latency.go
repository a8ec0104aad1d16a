package cluster

import (
	"net"
	"net/url"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/network"
)

// distance puts a delaying proxy before the API server and writes a kubeconfig for it. AKS's own parts keep the direct way.
func (c *Cluster) distance(o Options) error {
	if o.Latency <= 0 {
		return nil
	}
	config, err := clientcmd.LoadFromFile(c.control.Kubeconfig)
	if err != nil {
		return err
	}
	entry := config.Clusters[contextName(o.Name)]
	server, err := url.Parse(entry.Server)
	if err != nil {
		return err
	}
	if c.far, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	go network.Delay(c.far, server.Host, o.Latency)
	entry.TLSServerName, server.Host = server.Hostname(), c.far.Addr().String()
	entry.Server = server.String()
	c.place.Distant = filepath.Join(c.place.Dir, "distant.kubeconfig")
	return clientcmd.WriteToFile(*config, c.place.Distant)
}
