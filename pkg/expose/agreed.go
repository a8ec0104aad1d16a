package expose

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Covers tells whether all that another plan changes is part of what this one changes, whatever else has changed on the
// objects meanwhile: who agreed to this plan agreed to the other.
func (p Plan) Covers(other Plan) bool {
	return p.Reach == other.Reach && uncovered(p.All(), other.All()) == nil
}

// uncovered returns the first of the changes that is no part of what was agreed to; nil when all are.
func uncovered(agreed, changes []cluster.Change) *cluster.Change {
	for _, c := range changes {
		if !slices.ContainsFunc(agreed, func(a cluster.Change) bool {
			return a.Verb == c.Verb && a.Ref() == c.Ref() && bytes.Equal(gist(a), gist(c))
		}) {
			return &c
		}
	}
	return nil
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

// An agreement is what the user agreed to of a certificate, now that the address is known, which joins it.
type agreement struct{ plan TLSPlan }

// agreedFor decides on the cluster as it was when the user agreed what is to be done for an address. nil agrees to anything.
func agreedFor(t *Target, o Options, address string) (*agreement, error) {
	if t == nil {
		return nil, nil
	}
	plan, err := PlanTLS(*t, o, address)
	return &agreement{plan}, err
}

// check refuses changes beyond what was agreed to. The Secret of a Certificate that is deleted may come late: deleting the
// Certificate means it as well.
func (a *agreement) check(changes []cluster.Change) error {
	if a == nil {
		return nil
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c cluster.Change) bool {
		return c.Verb == cluster.Delete && c.Ref().Kind == kube.SecretKind.Kind && len(certificatesAmong(a.plan.Changes())) > 0 && madeByExpose(c.Before)
	})
	if c := uncovered(a.plan.Changes(), changes); c != nil {
		return &cluster.Problem{What: fmt.Sprintf("%s was changed in between, and what is to be done with it is no longer what was agreed to", c.Ref()),
			Next: "Run the same command again to see what is left to do"}
	}
	return nil
}
