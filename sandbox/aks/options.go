package aks

import (
	"io"
	"time"

	"k8s.io/client-go/rest"
)

// Options say what the AKS is like. Config and CA must be there.
type Options struct {
	Config *rest.Config
	CA     CA
	Name   string // of the sandbox: those of other names use other load balancer addresses

	Nodes, GPUNodes   int    // machines in the system pool and the GPU pool
	Runtime           string // as nodes report it: containerd://1.7.30-1
	KubernetesVersion string // of the kubelets, with its v
	NetworkPolicy     bool   // whether an engine enforces NetworkPolicies

	StartDelay   time.Duration            // until a placed pod's programs are started
	Delays       map[string]time.Duration // the same, by part of the image name
	PullFailures []string                 // parts of the names of images that cannot be pulled
	Hanging      []string                 // parts of the names of images that never get ready

	LoadBalancerDelay   time.Duration // until a Service has its address
	LoadBalancerFailure string        // why it never gets one: AuthorizationFailed, PublicIPCountLimitReached

	Without map[string]bool // parts to leave out, by name
	Log     io.Writer       // what goes wrong; nil for nothing
}

// A CA is the sandbox's certificate authority, PEM.
type CA struct{ Cert, Key []byte }

func (o Options) with(part string) bool { return !o.Without[part] }
