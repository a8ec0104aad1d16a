package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/controlplane"
)

// platform returns the options of AKS.
func (o Options) platform(control *controlplane.ControlPlane, programs build.Programs) aks.Options {
	without := map[string]bool{}
	for _, part := range o.Without {
		without[part] = true
	}
	return aks.Options{
		Config: control.Config,
		CA:     aks.CA{Cert: control.CA.CertPEM, Key: control.CA.KeyPEM},
		Name:   o.Name,
		Nodes:  o.Nodes, GPUNodes: o.GPUNodes, Runtime: o.Runtime, KubernetesVersion: programs.Kubernetes,
		OAuth2Proxy: programs.OAuth2Proxy, IdentityProvider: o.IdentityProvider,
		NetworkPolicy: o.NetworkPolicy,
		StartDelay:    o.StartDelay, Delays: o.Delays, PullFailures: o.PullFailures, Hanging: o.Hanging,
		LoadBalancerDelay: o.LoadBalancerDelay, LoadBalancerFailure: o.LoadBalancerFailure,
		Without: without,
		Log:     o.Log,
	}
}

// stages returns KWOK's configuration. Without the part that simulates pods, KWOK
// makes all pods ready at once.
func (o Options) stages() []byte {
	if slices.Contains(o.Without, aks.Pods) {
		return nil
	}
	return aks.Stages()
}

// checkParts rejects unknown parts.
func (o Options) checkParts() error {
	for _, part := range o.Without {
		if !slices.Contains(aks.Parts(), part) {
			return fmt.Errorf("AKS has no part %q to leave out: the parts are %s", part, strings.Join(aks.Parts(), ", "))
		}
	}
	return nil
}

// simulate runs the platform until ctx ends.
func (c *Cluster) simulate(ctx context.Context, platform *aks.AKS) {
	c.stopped = make(chan struct{})
	go func() {
		defer close(c.stopped)
		if err := platform.Run(ctx); err != nil && ctx.Err() == nil {
			c.failure = fmt.Errorf("simulating AKS: %w", err)
		}
	}()
}

// ended returns an error if a part of the sandbox has stopped.
func (c *Cluster) ended() error {
	select {
	case <-c.stopped:
		return errors.Join(c.failure, errors.New("the simulation of AKS has stopped"))
	default:
		return c.control.Ended()
	}
}

// settled returns an error until all objects of AKS exist.
func settled(ctx context.Context, client kubernetes.Interface, o Options) error {
	if !slices.Contains(o.Without, aks.Nodes) {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		if want := o.Nodes + o.GPUNodes; len(nodes.Items) < want {
			return fmt.Errorf("%d of %d nodes exist", len(nodes.Items), want)
		}
	}
	if !slices.Contains(o.Without, aks.Storage) {
		if _, err := client.StorageV1().StorageClasses().Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// await polls until check returns nil.
func (c *Cluster) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if ended := c.ended(); ended != nil {
			return ended
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; the last error was: %w", context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
