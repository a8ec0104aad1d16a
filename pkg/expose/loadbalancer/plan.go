package loadbalancer

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
)

// A Plan is what gives the dashboard its address, and who can connect afterwards. Planning changes nothing.
type Plan struct {
	Changes []cluster.Change
	Service cluster.Ref     // the Service that will carry the address
	Reach   dashboard.Reach // who can connect afterwards
	Open    string          // why that is everyone although the address has limits; "" otherwise
	Adopts  bool            // the Service was not created by expose, which changes it without owning it
	Notes   []string        // what the user should know, one sentence each
	TLS     tls.Plan        // what to change once there is an address

	released []string // addresses that the Service still has but will lose
}

// All returns everything that the plan changes, in its order.
func (p Plan) All() []cluster.Change { return slices.Concat(p.Changes, p.TLS.Changes()) }

// Unsafe reports whether the dashboard would be public without proven authentication, be it that the plan makes it so or leaves it so.
func (p Plan) Unsafe(t expose.Target) bool {
	return p.Reach == dashboard.Public && !t.Authentication.Proven
}

// Covers reports whether the changes of another plan are part of this one, whatever else has changed on the objects meanwhile:
// consent to this plan includes the other.
func (p Plan) Covers(other Plan) bool {
	return p.Reach == other.Reach && expose.Uncovered(p.All(), other.All()) == nil
}
