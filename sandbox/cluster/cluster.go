package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/controlplane"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/scenario"
)

// Options configure a sandbox. The zero value is a healthy cluster with the
// newest Kubernetes.
type Options struct {
	Name       string // default: the Kubernetes version
	Kubernetes string // one of build.Versions
	Nodes      int    // of the system pool
	GPUNodes   int
	Runtime    string // what the nodes report: containerd://1.7.30-1, docker://19.3.14
	Scenario   string // one of scenario.Names, "empty" when not set

	Without       []string // parts of AKS to leave out, of aks.Parts
	APIOnly       bool     // only an API server: no AKS, no controllers
	NetworkPolicy bool     // whether NetworkPolicies are enforced

	IdentityProvider bool // whether a stand-in for Microsoft Entra ID runs

	StartDelay          time.Duration            // how long images take to pull
	Delays              map[string]time.Duration // the same, by substring of the image name
	PullFailures        []string                 // substrings of the names of images that cannot be pulled
	Hanging             []string                 // substrings of the names of images that never become ready
	LoadBalancerDelay   time.Duration            // until a Service has its address
	LoadBalancerFailure string                   // the error if it never gets one

	Latency time.Duration // of a round trip to the API server, for whoever uses the sandbox

	Kubeconfig string    // a file that the context is added to while the sandbox runs
	Log        io.Writer // progress messages

	start scenario.Scenario
}

// A Cluster is a sandbox running in this process.
type Cluster struct {
	Kubeconfig string // the administrator's
	Kubectl    string // of the cluster's own version
	Place      Place

	place   *Place
	control *controlplane.ControlPlane
	cancel  context.CancelFunc
	sockets string        // another folder, if the sandbox's path is too long for sockets
	stopped chan struct{} // closed when the simulation of AKS has ended
	failure error         // why; read only after stopped
	stop    sync.Once
	asked   chan os.Signal // to stop and to start the API server
	far     net.Listener   // where the API server is far away, or nil
}

// Start builds missing programs, starts everything and returns when pods can run.
// The caller stops it; if this process dies first, nothing keeps running.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	programs, err := build.Ensure(ctx, o.Kubernetes, o.Log)
	if err != nil {
		return nil, err
	}
	place, err := occupy(o.Name)
	if err != nil {
		return nil, err
	}
	c := &Cluster{place: place, Kubectl: programs.Kubectl}
	if err := c.start(ctx, o, programs); err != nil {
		c.Stop()
		return nil, fmt.Errorf("starting sandbox %s: %w", o.Name, err)
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options, programs build.Programs) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx)) // until Stop, not only while it starts
	c.cancel = cancel
	egress, err := c.listen()
	if err != nil {
		return err
	}
	c.control, err = controlplane.Start(ctx, controlplane.Options{
		Programs: programs,
		Dir:      c.place.Dir,
		Context:  contextName(o.Name),
		Stages:   o.stages(),
		Egress:   egress.Addr().String(),
		Alone:    o.APIOnly,
	})
	if err != nil {
		_ = egress.Close()
		return err
	}
	platform, err := aks.New(o.platform(c.control, programs))
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(c.control.Config)
	if err != nil {
		return err
	}
	if err := c.connect(running, client, egress, platform); err != nil {
		return err
	}
	c.simulate(running, platform)
	if err := c.await(ctx, func(ctx context.Context) error { return settled(ctx, client, o) }); err != nil {
		return err
	}
	if err := o.start.Apply(ctx, c.control.Config); err != nil {
		return err
	}
	if err := o.start.Settle(ctx, client); err != nil {
		return err
	}
	c.listenForOutages()
	if err := c.distance(o); err != nil {
		return err
	}
	if err := c.tellIdentityProvider(platform); err != nil {
		return err
	}
	return c.announce(o, programs)
}

// announce records that the sandbox is ready.
func (c *Cluster) announce(o Options, programs build.Programs) error {
	p := c.place
	c.Kubeconfig = c.control.Kubeconfig
	p.Kubernetes, p.Kubeconfig, p.Ready, p.Running = programs.Kubernetes, c.Kubeconfig, true, true
	if o.Kubeconfig != "" {
		file, err := filepath.Abs(o.Kubeconfig)
		if err != nil {
			return err
		}
		if p.Previous, err = export(p.ForUsers(), file); err != nil {
			return err
		}
		p.Exported = file
	}
	c.Place = *p
	return p.save()
}

// Stop stops everything and removes the sandbox's folder.
func (c *Cluster) Stop() {
	c.stop.Do(func() {
		signal.Stop(c.asked)
		if c.far != nil {
			_ = c.far.Close()
		}
		if c.cancel != nil {
			c.cancel()
		}
		if c.stopped != nil {
			<-c.stopped
		}
		if c.control != nil {
			c.control.Stop()
		}
		if c.sockets != c.place.Dir {
			_ = os.RemoveAll(c.sockets)
		}
		_ = withdraw(c.place.Exported, c.place.Name, c.place.Previous)
		_ = c.place.release()
	})
}

// Wait returns when ctx ends, or with an error when a program of the control
// plane has exited.
func (c *Cluster) Wait(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case signal := <-c.asked:
			if err := c.outage(ctx, signal); err != nil {
				return err
			}
		case <-tick.C:
			if err := c.ended(); err != nil {
				return err
			}
			if _, err := os.Stat(c.place.Dir); err != nil {
				return fmt.Errorf("the sandbox's folder was removed: %w", err)
			}
		}
	}
}
