package expose

import (
	"bytes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An Exposure is the result of a command as data: how the dashboard can be reached, and what was done about it.
type Exposure struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Context    string     `json:"context"`
	Server     string     `json:"server"`
	Method     string     `json:"method,omitempty"`          // what was asked for: "lb", "port-forward" or "remove"
	URL        string     `json:"url,omitempty"`             // what to open; "" when there is nothing to open yet
	SignIn     *SignIn    `json:"signIn,omitempty"`          // nil when nobody could look
	Gateway    string     `json:"gatewayWaitsFor,omitempty"` // why the gateway itself cannot answer; "" when it can
	Endpoints  []Endpoint `json:"endpoints"`
	Changes    []Changed  `json:"changes"`
	DryRun     bool       `json:"dryRun,omitempty"` // the changes were not made
	Notes      []string   `json:"notes,omitempty"`
	Error      string     `json:"error,omitempty"` // why it could not finish
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

// Found puts what was looked at into the result.
func (e *Exposure) Found(t Target) {
	e.SignIn, e.Gateway = &t.SignIn, t.Unready()
	e.Endpoints = append([]Endpoint{}, Endpoints(t)...)
}

// Same tells whether two plans make the same changes to the same fields, whatever else has changed on the objects meanwhile.
func (p Plan) Same(q Plan) bool {
	mine, theirs := p.All(), q.All()
	if len(mine) != len(theirs) || p.Reach != q.Reach {
		return false
	}
	for i, a := range mine {
		b := theirs[i]
		if a.Verb != b.Verb || a.Ref() != b.Ref() || !bytes.Equal(gist(a), gist(b)) {
			return false
		}
	}
	return true
}

// gist is what a change is about: which values become which, or the object for one that is new.
func gist(c cluster.Change) []byte {
	if c.Before == nil || c.After == nil {
		return []byte(cluster.Diff(nil, c.After))
	}
	operations, err := c.Inverse()
	if err != nil {
		return nil
	}
	return operations
}
