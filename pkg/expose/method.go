package expose

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// Manager is the field manager of everything that expose writes.
const Manager = "kubectl-kubeflow"

// A Method is one way to make the dashboard reachable.
type Method struct {
	Name    string // as in Exposure.Method: "lb"
	Flag    string // what to type: "--lb"
	Summary string // what one gets, in a line
}

// Options are what the user asked for. A zero field was not asked for: what is there stays as it is.
type Options struct {
	Port         int32     // the outside port; 80 for a new Service
	Internal     *bool     // only inside the virtual network
	SourceRanges *[]string // the CIDRs that may connect; an empty list lifts the limit

	IP          *string           // the address itself; "" lets Azure choose
	IPGroup     *string           // the resource group of the public address, where it is not the nodes' own
	DNSLabel    *string           // the name below REGION.cloudapp.azure.com; "" gives it up
	Host        *string           // the name of the user's own zone under which visitors come
	TLS         *TLS              // where the gateway's certificate comes from
	Annotations map[string]string // others of the Service's; "" takes one off
}

// A Plan is what a method would change, and what that would mean. Making one touches nothing.
type Plan struct {
	Changes []cluster.Change
	Service cluster.Ref     // the Service that will carry the address
	Reach   dashboard.Reach // who could connect afterwards
	Adopts  bool            // the Service was made by hand: expose mends it, and does not own it
	Notes   []string        // what a person should know, one sentence each
	TLS     TLSPlan         // what comes after, when the address is there

	leaves []string // addresses that the Service still has and is going to lose
}

// All returns everything that the plan changes, in its order.
func (p Plan) All() []cluster.Change { return slices.Concat(p.Changes, p.TLS.Changes()) }

// Unsafe tells whether the plan would put the dashboard where anybody can open it with nobody asking who they are.
func (p Plan) Unsafe(t Target) bool {
	return len(p.All()) > 0 && p.Reach == dashboard.Public && !t.Authentication.Proven
}
