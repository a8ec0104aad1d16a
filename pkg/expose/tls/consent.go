package tls

import (
	"fmt"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A consent is the plan that the user agreed to, completed with the address.
type consent struct{ plan Plan }

// consentFor plans for an address on the cluster as it was when the user agreed. A nil target agrees to anything.
func consentFor(t *Target, o expose.Options, address string) (*consent, error) {
	if t == nil {
		return nil, nil
	}
	plan, err := NewPlan(*t, o, address)
	return &consent{plan}, err
}

// check refuses changes beyond what was agreed to. The Secret of a deleted Certificate may be written late: consent to delete the
// Certificate includes it.
func (a *consent) check(changes []cluster.Change) error {
	if a == nil {
		return nil
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c cluster.Change) bool {
		return c.Verb == cluster.Delete && len(expose.DeletedCertificates(a.plan.Changes())) > 0 && expose.IsIssued(c.Before)
	})
	if c := expose.Uncovered(a.plan.Changes(), changes); c != nil {
		return &problem.Error{What: fmt.Sprintf("%s changed meanwhile, so that its changes differ from what you agreed to", c.Ref()),
			Next: "Run the same command again to see the remaining changes"}
	}
	return nil
}
