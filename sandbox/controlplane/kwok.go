package controlplane

import (
	_ "embed"
	"fmt"
)

// KubeletPort is where a node says that its kubelet listens. No machine has the
// node's address: the network decides what answers there.
const KubeletPort = 10250

//go:embed stages.yaml
var defaultStages []byte

// kwokArgs let KWOK keep every node alive, with the stages it was given.
func (c *ControlPlane) kwokArgs() []string {
	return []string{
		"--kubeconfig=" + c.dir.kubeconfig("kwok"),
		"--config=" + c.dir.path("kwok.yaml"),
		"--manage-all-nodes=true",
		"--cidr=" + PodCIDR,
		"--node-ip=10.224.0.4",
		fmt.Sprintf("--node-port=%d", KubeletPort),
		"--server-address=" + c.KwokAddress(),
		"--node-lease-duration-seconds=40",
		"--tls-cert-file=" + c.dir.cert("kubelet"),
		"--tls-private-key-file=" + c.dir.key("kubelet"),
	}
}

// KwokAddress is where KWOK plays the kubelet for all nodes, over HTTPS.
func (c *ControlPlane) KwokAddress() string { return fmt.Sprintf("127.0.0.1:%d", c.ports.kwok) }
