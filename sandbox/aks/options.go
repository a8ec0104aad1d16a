package aks

import (
	"io"
	"time"

	"k8s.io/client-go/rest"
)

// Options configure an AKS. Config and CA are required.
type Options struct {
	Config *rest.Config
	CA     CA
	Name   string // of the sandbox; it determines the load balancer addresses

	Nodes, GPUNodes   int    // machines in the system pool and the GPU pool
	Runtime           string // as nodes report it: containerd://1.7.30-1
	KubernetesVersion string // of the kubelets, with its v
	NetworkPolicy     bool   // whether NetworkPolicies are enforced

	StartDelay   time.Duration            // from scheduling to start
	Delays       map[string]time.Duration // the same, by substring of the image name
	PullFailures []string                 // substrings of the names of images that cannot be pulled
	Hanging      []string                 // substrings of the names of images that never become ready

	LoadBalancerDelay   time.Duration // until a Service has its address
	LoadBalancerFailure string        // the error if it never gets one: AuthorizationFailed, PublicIPCountLimitReached

	OAuth2Proxy string // the program; without it sign-in is simulated

	IdentityProvider bool // whether a stand-in for Microsoft Entra ID runs

	Without map[string]bool // parts to leave out, by name
	Log     io.Writer       // for errors; may be nil
}

// A CA is the sandbox's certificate authority, PEM.
type CA struct{ Cert, Key []byte }

func (o Options) with(part string) bool { return !o.Without[part] }
