package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/controlplane"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/scenario"
)

// Options say what a sandbox shall be like. The zero value is a healthy cluster
// of the newest Kubernetes.
type Options struct {
	Name       string // default: the Kubernetes version
	Kubernetes string // one of build.Versions
	Nodes      int    // of the system pool
	GPUNodes   int
	Runtime    string // what the nodes report: containerd://1.7.30-1, docker://19.3.14
	Scenario   string // one of scenario.Names, "empty" when not set

	Without       []string // parts of AKS to leave out, of aks.Parts
	APIOnly       bool     // nothing of AKS, and no controllers: what is put there stays as it is
	NetworkPolicy bool     // whether NetworkPolicies are enforced

	StartDelay          time.Duration            // how long images take to pull
	Delays              map[string]time.Duration // the same, by part of the image name
	PullFailures        []string                 // parts of the names of images that cannot be pulled
	Hanging             []string                 // parts of the names of images that never get ready
	LoadBalancerDelay   time.Duration            // until a Service has its address
	LoadBalancerFailure string                   // why it never gets one

	Kubeconfig string    // a file that the context is added to while the sandbox runs
	Log        io.Writer // progress, for people

	start scenario.Scenario
}

// A Cluster is a sandbox that runs in this process.
type Cluster struct {
	Kubeconfig string // the administrator's
	Kubectl    string // of the cluster's own version
	Place      Place

	place   *Place
	control *controlplane.ControlPlane
	cancel  context.CancelFunc
	sockets string        // a folder of their own, where the sandbox's path is too long for them
	played  chan struct{} // closed when AKS is played no more
	failure error         // why; read only after played
	stop    sync.Once
}

// Start builds what is missing, starts everything and returns when pods can run.
// The caller stops it; should this process die first, nothing of it keeps running.
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
	platform, err := aks.New(o.platform(c.control, programs.Kubernetes))
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
	c.play(running, platform)
	if err := c.await(ctx, func(ctx context.Context) error { return settled(ctx, client, o) }); err != nil {
		return err
	}
	if err := o.start.Apply(ctx, c.control.Config); err != nil {
		return err
	}
	if err := o.start.Settle(ctx, client); err != nil {
		return err
	}
	return c.announce(o, programs)
}

// announce writes down that the sandbox is ready.
func (c *Cluster) announce(o Options, programs build.Programs) error {
	p := c.place
	c.Kubeconfig = c.control.Kubeconfig
	p.Kubernetes, p.Kubeconfig, p.Ready, p.Running = programs.Kubernetes, c.Kubeconfig, true, true
	if o.Kubeconfig != "" {
		file, err := filepath.Abs(o.Kubeconfig)
		if err != nil {
			return err
		}
		if p.Previous, err = export(c.Kubeconfig, file); err != nil {
			return err
		}
		p.Exported = file
	}
	c.Place = *p
	return p.save()
}

// Stop ends everything and removes the sandbox's folder.
func (c *Cluster) Stop() {
	c.stop.Do(func() {
		if c.cancel != nil {
			c.cancel()
		}
		if c.played != nil {
			<-c.played
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
// plane has ended by itself.
func (c *Cluster) Wait(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := c.ended(); err != nil {
				return err
			}
			if _, err := os.Stat(c.place.Dir); err != nil {
				return fmt.Errorf("the sandbox's folder has gone: %w", err)
			}
		}
	}
}
