package expose

import (
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
)

// An Exposure is the result of a command as data: how the dashboard can be reached, and what was changed.
type Exposure struct {
	APIVersion     string                    `json:"apiVersion"`
	Kind           string                    `json:"kind"`
	Context        string                    `json:"context"`
	Server         string                    `json:"server"`
	Method         string                    `json:"method,omitempty"`          // what was asked for: "lb", "port-forward" or "remove"
	URL            string                    `json:"url,omitempty"`             // what to open; "" when there is nothing to open yet
	Authentication *dashboard.Authentication `json:"signIn,omitempty"`          // nil when it could not be read
	Gateway        string                    `json:"gatewayWaitsFor,omitempty"` // why the gateway itself cannot answer; "" when it can
	Endpoints      []Endpoint                `json:"endpoints"`
	Changes        []Changed                 `json:"changes"`
	DryRun         bool                      `json:"dryRun,omitempty"` // the changes were not applied
	Notes          []string                  `json:"notes,omitempty"`
	Next           []Step                    `json:"next,omitempty"`  // suggested commands
	Error          string                    `json:"error,omitempty"` // why it failed
}

// A Changed is a change as data.
type Changed struct {
	Verb  cluster.Verb `json:"verb"`
	About cluster.Ref  `json:"about"`
	Diff  string       `json:"diff"`
}

// NewExposure returns an empty result.
func NewExposure() *Exposure {
	return &Exposure{APIVersion: "kubeflow.expose/v1alpha1", Kind: "Exposure", Endpoints: []Endpoint{}, Changes: []Changed{}}
}

// Describe puts changes into the result.
func (e *Exposure) Describe(changes []cluster.Change) {
	e.Changes = []Changed{}
	for _, c := range changes {
		e.Changes = append(e.Changes, Changed{Verb: c.Verb, About: c.Ref(), Diff: cluster.Diff(c.Before, c.After)})
	}
}

// SetTarget puts the dashboard as it was read into the result.
func (e *Exposure) SetTarget(t Target) {
	e.Authentication, e.Gateway = &t.Authentication, t.Unready()
	e.Endpoints = append([]Endpoint{}, Endpoints(t)...)
}

// A Step is a suggested command, and why to run it.
type Step struct {
	Command string `json:"command"`
	Why     string `json:"why"`
}

// Advise fills in the suggested commands, the most urgent first.
func (e *Exposure) Advise() {
	e.Next = nil
	add := func(when bool, command, why string) {
		step := Step{Command: command, Why: why}
		if when && !slices.Contains(e.Next, step) {
			e.Next = append(e.Next, step)
		}
	}
	for _, p := range e.Endpoints {
		outside := p.Via != "ClusterIP" && p.Via != "NodePort"
		add(outside && p.Reach == dashboard.Public && !e.Authentication.Proven, "kubectl kubeflow expose --lb --source-ranges CIDR,...", "limit the clients: requests are not authenticated")
		add(outside && len(p.Blocked) > 0, "kubectl kubeflow expose --lb", "admit clients through the NetworkPolicies")
		add(outside && p.Answer != nil && (p.Answer.What == probe.Unhealthy || p.Answer.What == probe.NoAnswer && p.Reach == dashboard.Public), "kubectl kubeflow doctor", "see why it does not answer")
		add(strings.HasPrefix(p.URL, "http://") && p.Via == "LoadBalancer", "kubectl kubeflow expose --lb --tls", "encrypt it: over plain HTTP passwords can be read in transit")
		add(p.Answer != nil && p.Answer.Certificate.ExpiresSoon(), "kubectl kubeflow doctor certificates", "see why the certificate is not renewed")
	}
}
