package loadbalancer

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
)

// A Plan is what a method would change, and what that would mean. Making one touches nothing.
type Plan struct {
	Changes []cluster.Change
	Service cluster.Ref     // the Service that will carry the address
	Reach   dashboard.Reach // who could connect afterwards
	Adopts  bool            // the Service was made by hand: expose mends it, and does not own it
	Notes   []string        // what a person should know, one sentence each
	TLS     tls.Plan        // what comes after, when the address is there

	released []string // addresses that the Service still has and is going to lose
}

// All returns everything that the plan changes, in its order.
func (p Plan) All() []cluster.Change { return slices.Concat(p.Changes, p.TLS.Changes()) }

// Unsafe tells whether the plan would put the dashboard where anybody can open it with nobody asking who they are.
func (p Plan) Unsafe(t expose.Target) bool {
	return len(p.All()) > 0 && p.Reach == dashboard.Public && !t.Authentication.Proven
}

// Covers tells whether all that another plan changes is part of what this one changes, whatever else has changed on the
// objects meanwhile: who agreed to this plan agreed to the other.
func (p Plan) Covers(other Plan) bool {
	return p.Reach == other.Reach && expose.Uncovered(p.All(), other.All()) == nil
}
