package controlplane

import "strings"

// controllerManagerArgs run every controller, as a cluster does. The client's
// rate limit is raised: a small machine should wait for work, not for a limiter.
func (c *ControlPlane) controllerManagerArgs() []string {
	d := c.dir
	args := []string{
		"--kubeconfig=" + d.kubeconfig("controller-manager"),
		"--controllers=*,bootstrapsigner,tokencleaner",
		"--use-service-account-credentials=true",
		"--leader-elect=false",
		"--secure-port=0",
		"--cert-dir=" + d.path("pki"),
		"--root-ca-file=" + d.cert("ca"),
		"--service-account-private-key-file=" + d.key("service-account"),
		"--cluster-signing-cert-file=" + d.cert("ca"),
		"--cluster-signing-key-file=" + d.key("ca"),
		"--allocate-node-cidrs=false", // the nodes come with theirs; 1.21's allocator takes 10 s to start
		"--service-cluster-ip-range=" + ServiceCIDR,
		"--flex-volume-plugin-dir=" + d.path("flexvolume"),
		"--kube-api-qps=100",
		"--kube-api-burst=200",
	}
	return append(args, c.noInsecurePort()...)
}

func (c *ControlPlane) schedulerArgs() []string {
	args := []string{
		"--kubeconfig=" + c.dir.kubeconfig("scheduler"),
		"--leader-elect=false",
		"--secure-port=0",
		"--cert-dir=" + c.dir.path("pki"),
	}
	return append(args, c.noInsecurePort()...)
}

// noInsecurePort turns off a second port, without TLS, that old versions open
// and new ones no longer know.
func (c *ControlPlane) noInsecurePort() []string {
	if strings.HasPrefix(c.programs.Kubernetes, "v1.21.") {
		return []string{"--port=0"}
	}
	return nil
}
