package controlplane

import "fmt"

// etcdArgs run a single etcd that does not wait for the disk: its data is thrown
// away with the cluster.
func (c *ControlPlane) etcdArgs() []string {
	client := fmt.Sprintf("https://127.0.0.1:%d", c.ports.etcd)
	peer := fmt.Sprintf("http://127.0.0.1:%d", c.ports.etcdPeer)
	return []string{
		"--name=sandbox",
		"--data-dir=" + c.dir.path("etcd"),
		"--unsafe-no-fsync",
		"--log-level=warn",
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=sandbox=" + peer,
		"--cert-file=" + c.dir.cert("etcd"),
		"--key-file=" + c.dir.key("etcd"),
		"--client-cert-auth",
		"--enable-grpc-gateway=false",
		"--trusted-ca-file=" + c.dir.cert("ca"),
		"--quota-backend-bytes=2147483648",
	}
}
