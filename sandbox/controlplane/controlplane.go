package controlplane

import (
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
)

// Options configure a control plane.
type Options struct {
	Programs build.Programs
	Dir      string // an empty folder for the cluster; the caller removes it
	Context  string // the kubeconfig's context
	Stages   []byte // KWOK stages as YAML documents; nil for the defaults
	Alone    bool   // only the API server, without controllers
	Egress   string // Unix socket of the proxy to the cluster network
}

// A ControlPlane is a running control plane.
type ControlPlane struct {
	Kubeconfig string // of the cluster's administrator
	Config     *rest.Config
	CA         *Authority

	programs build.Programs
	dir      folder
	ports    struct{ etcd, etcdPeer, apiServer, kwok int }
	running  []*process
}

// Start starts every program and returns once the API server is ready and the
// default service account exists, so that pods can be created.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	c := &ControlPlane{programs: o.Programs, dir: folder(o.Dir)}
	if err := c.prepare(o); err != nil {
		return nil, fmt.Errorf("preparing the control plane: %w", err)
	}
	if err := c.start(ctx, o.Alone); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// prepare writes all files and chooses all ports.
func (c *ControlPlane) prepare(o Options) error {
	ports, err := freePorts(4)
	if err != nil {
		return err
	}
	c.ports.etcd, c.ports.etcdPeer, c.ports.apiServer, c.ports.kwok = ports[0], ports[1], ports[2], ports[3]
	if c.CA, err = NewAuthority("kubernetes"); err != nil {
		return err
	}
	if err := c.dir.issue(c.CA); err != nil {
		return err
	}
	if err := c.dir.kubeconfigs(c.CA, "https://"+c.Address(), o.Context); err != nil {
		return err
	}
	stages := o.Stages
	if stages == nil {
		stages = defaultStages
	}
	if err := c.dir.write("kwok.yaml", stages); err != nil {
		return err
	}
	if err := c.dir.write("egress.yaml", fmt.Appendf(nil, egressConfig, o.Egress)); err != nil {
		return err
	}
	c.Kubeconfig = c.dir.kubeconfig("admin")
	c.Config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	return err
}

func (c *ControlPlane) start(ctx context.Context, alone bool) error {
	programs := []struct {
		name, path string
		args       []string
		ready      func(context.Context) error
	}{
		{"etcd", c.programs.Etcd, c.etcdArgs(), nil},
		{apiServerName, c.programs.APIServer, c.apiServerArgs(), c.apiServerReady},
		{controllerManagerName, c.programs.ControllerManager, c.controllerManagerArgs(), nil},
		{"kube-scheduler", c.programs.Scheduler, c.schedulerArgs(), nil},
		{"kwok", c.programs.Kwok, c.kwokArgs(), c.serviceAccountReady},
	}
	if alone {
		programs = programs[:2]
	}
	for _, p := range programs {
		process, err := startProcess(p.name, p.path, c.dir.path("logs"), p.args)
		if err != nil {
			return err
		}
		c.running = append(c.running, process)
		if p.ready == nil {
			continue
		}
		if err := c.await(ctx, p.ready); err != nil {
			return fmt.Errorf("waiting for %s: %w", p.name, err)
		}
	}
	return nil
}

// await polls until ready returns nil, a program exits, or the timeout expires.
func (c *ControlPlane) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if ended := c.Ended(); ended != nil {
			return ended
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; the last error was: %w", context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Ended returns an error if a program has exited.
func (c *ControlPlane) Ended() error {
	for _, p := range c.running {
		select {
		case <-p.done:
			return p.ended()
		default:
		}
	}
	return nil
}

// Stop stops all programs, the API server's clients first.
func (c *ControlPlane) Stop() {
	for i := len(c.running) - 1; i >= 0; i-- {
		c.running[i].kill()
	}
	c.running = nil
}

// LogDir returns the folder of the programs' logs, <program>.log.
func (c *ControlPlane) LogDir() string { return c.dir.path("logs") }

// KubeletPair is the certificate that the nodes' kubelets serve with.
func (c *ControlPlane) KubeletPair() (KeyPair, error) {
	cert, err := os.ReadFile(c.dir.cert("kubelet"))
	if err != nil {
		return KeyPair{}, err
	}
	key, err := os.ReadFile(c.dir.key("kubelet"))
	return KeyPair{Cert: cert, Key: key}, err
}
