package controlplane

import "fmt"

const (
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"

	// ServiceCIDR is the range of ClusterIPs: AKS's default.
	ServiceCIDR = "10.0.0.0/16"
	// PodCIDR is the range of pod addresses: AKS's default with an overlay network.
	PodCIDR = "10.244.0.0/16"

	kubernetesServiceIP = "10.0.0.1"
	// The endpoint of the kubernetes Service may not be a loopback address, and
	// this machine may have no other: an address reserved for documentation.
	advertised = "192.0.2.1"
)

var apiServerNames = []string{
	"127.0.0.1", "localhost", kubernetesServiceIP, advertised, "kubernetes", "kubernetes.default",
	"kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
}

// Connections into the cluster network go to the egress proxy.
const egressConfig = `apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      uds:
        udsName: %q
`

func (c *ControlPlane) apiServerArgs() []string {
	d := c.dir
	return []string{
		fmt.Sprintf("--etcd-servers=https://127.0.0.1:%d", c.ports.etcd),
		"--etcd-cafile=" + d.cert("ca"),
		"--etcd-certfile=" + d.cert("apiserver-etcd"),
		"--etcd-keyfile=" + d.key("apiserver-etcd"),
		"--bind-address=127.0.0.1",
		"--advertise-address=" + advertised,
		fmt.Sprintf("--secure-port=%d", c.ports.apiServer),
		"--cert-dir=" + d.path("pki"),
		"--tls-cert-file=" + d.cert("apiserver"),
		"--tls-private-key-file=" + d.key("apiserver"),
		"--client-ca-file=" + d.cert("ca"),
		"--service-cluster-ip-range=" + ServiceCIDR,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + d.cert("service-account"),
		"--service-account-signing-key-file=" + d.key("service-account"),
		"--requestheader-client-ca-file=" + d.cert("ca"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + d.cert("front-proxy"),
		"--proxy-client-key-file=" + d.key("front-proxy"),
		"--kubelet-client-certificate=" + d.cert("apiserver-kubelet"),
		"--kubelet-client-key=" + d.key("apiserver-kubelet"),
		"--kubelet-preferred-address-types=InternalIP,Hostname",
		"--egress-selector-config-file=" + d.path("egress.yaml"),
		"--profiling=false",
	}
}

// Address returns the API server's host:port.
func (c *ControlPlane) Address() string { return fmt.Sprintf("127.0.0.1:%d", c.ports.apiServer) }
