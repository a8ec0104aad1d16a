package aks

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	networklisters "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/record"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/argo"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/cabundle"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/certmanager"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/enforcer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/gateway"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/jobs"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/nodes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/notebooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/pipelines"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/pods"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/profiles"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/storage"
)

// The parts that Options.Without can leave out.
const (
	Nodes        = "nodes"
	Pods         = "pods"
	Storage      = "storage"
	Enforcer     = "enforcer"
	CABundles    = "cabundles"
	LoadBalancer = "loadbalancer"
	CertManager  = "certmanager"
	Profiles     = "profiles"
	Notebooks    = "notebooks"
	Pipelines    = "pipelines"
	Jobs         = "jobs"
	SignIn       = "signin" // without it oauth2-proxy and dex are simulated
)

// Parts returns the names of all parts.
func Parts() []string {
	return []string{Nodes, Pods, Storage, Enforcer, CABundles, LoadBalancer, CertManager, Profiles, Notebooks, Pipelines, Jobs, SignIn}
}

// Stages returns KWOK's configuration.
func Stages() []byte { return nodes.Stages() }

// A part runs until its context ends.
type part interface {
	Run(ctx context.Context, log io.Writer)
}

// begin creates the objects that every AKS cluster has. The API server may still be starting.
func (a *AKS) begin(ctx context.Context) error {
	steps := map[string]func(context.Context) error{
		Storage: func(ctx context.Context) error { return storage.Create(ctx, a.client) },
		Nodes:   func(ctx context.Context) error { return nodes.Create(ctx, a.client, a.cluster()) },
	}
	if a.o.NetworkPolicy {
		steps["policy engine"] = a.policyEngine
	}
	for name, step := range steps {
		if !a.o.with(name) {
			continue
		}
		var last error
		err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
			last = step(ctx)
			return last == nil, nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, last)
		}
	}
	return nil
}

func (a *AKS) cluster() nodes.Cluster {
	return nodes.Cluster{
		Pools:   []nodes.Pool{nodes.SystemPool(a.o.Nodes), nodes.GPUPool(a.o.GPUNodes)},
		Runtime: a.o.Runtime, KubeletVersion: a.o.KubernetesVersion,
	}
}

// parts creates the loops of the enabled parts.
func (a *AKS) parts(events func(component string) record.EventRecorder) ([]part, error) {
	makers := []struct {
		name string
		make func() (part, error)
	}{
		{Pods, func() (part, error) { return a.kubelet(events("kubelet")) }},
		{SignIn, func() (part, error) { return a.signIn.Loop(), nil }},
		{SignIn, func() (part, error) { return a.egress, nil }},
		{Storage, func() (part, error) { return storage.Loop(a.client, a.factory, events("disk.csi.azure.com")) }},
		{Enforcer, func() (part, error) { return enforcer.Loop(a.client, a.factory) }},
		{CABundles, func() (part, error) { return cabundle.Loop(a.dynamic, a.untyped, a.factory, a.authority.PEM()) }},
		{CertManager, func() (part, error) { return a.certManager(), nil }},
		{Profiles, func() (part, error) { return profiles.Loop(a.dynamic, a.factory), nil }},
		{Notebooks, func() (part, error) { return notebooks.Loop(a.dynamic, a.factory, events("notebook-controller")), nil }},
		{Notebooks, func() (part, error) { return a.servers.Loop(), nil }},
		{Pipelines, func() (part, error) { return pipelines.Profiles(a.dynamic, a.factory), nil }},
		{Pipelines, func() (part, error) { return argo.Loop(a.client, a.dynamic, a.factory, a.objectsOf), nil }},
		{LoadBalancer, func() (part, error) { return loadbalancer.New(a.factory, a.balancer(events("service-controller"))) }},
	}
	var all []part
	if a.provider != nil {
		all = append(all, identityProvider{a})
	}
	if a.o.with(Jobs) {
		for _, loop := range jobs.Loops(a.client, a.dynamic, a.factory) {
			all = append(all, loop)
		}
	}
	for _, m := range makers {
		if !a.o.with(m.name) {
			continue
		}
		made, err := m.make()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		all = append(all, made)
	}
	return all, nil
}

// kubelet creates the loop of the kubelets. A real program's pod fares as the program does.
func (a *AKS) kubelet(events record.EventRecorder) (part, error) {
	loop, err := pods.Loop(a.client, a.factory, events, pods.Script{
		StartDelay: a.o.StartDelay, Delays: a.o.Delays, PullFailures: a.o.PullFailures, Hanging: a.o.Hanging, Rules: []pods.Rule{a.signIn.Rule},
	})
	if err == nil {
		a.signIn.OnChange(loop.Add)
	}
	return loop, err
}

// certManager issues certificates for gateways; it sends its challenges to the gateway as Let's Encrypt would.
func (a *AKS) certManager() part {
	return &certmanager.Issuer{
		Client: a.dynamic, Secrets: a.client.CoreV1(), Public: certmanager.Pair{Cert: a.o.CA.Cert, Key: a.o.CA.Key},
		Ask: func(namespace, host, path string) int {
			for _, pod := range a.mesh.ReadyPods(namespace, nil) {
				if gateway.Is(pod) {
					return gateway.Ask(gateway.New(a.mesh, pod), host, path)
				}
			}
			return http.StatusServiceUnavailable
		},
	}
}

func (a *AKS) balancer(events record.EventRecorder) loadbalancer.Options {
	var policies networklisters.NetworkPolicyLister
	if a.o.NetworkPolicy {
		policies = a.factory.Networking().V1().NetworkPolicies().Lister()
		a.factory.Networking().V1().NetworkPolicies().Informer()
	}
	return loadbalancer.Options{
		Client: a.client, Events: events, Services: a.factory.Core().V1().Services().Lister(), Policies: policies,
		Sandbox: a.o.Name, Delay: a.o.LoadBalancerDelay, Failure: a.o.LoadBalancerFailure,
		ReadyPods: a.mesh.ReadyPods,
		Listens:   func(pod *corev1.Pod, port int32) bool { return a.behindPod(pod, port) != nil },
		Answer: func(conn net.Conn, pod *corev1.Pod, port int32) {
			if handler := a.behindPod(pod, port); handler != nil {
				a.board.Answer(conn, handler, a.certify(pod, port))
				return
			}
			conn.Close()
		},
	}
}
