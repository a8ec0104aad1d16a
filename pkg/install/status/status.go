package status

import (
	"context"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// A Status is how one installation is: what its record lists, held against what the cluster has.
type Status struct {
	Name         string      `json:"name,omitempty"` // the installation's; "" when this program did not install it
	Ready        bool        `json:"ready"`
	Objects      Readiness   `json:"objects"`
	Workloads    Readiness   `json:"workloads"` // of the objects: those that run pods
	Components   []Component `json:"components"`
	Installed    *time.Time  `json:"installed,omitempty"` // when the record was first written
	Changed      *time.Time  `json:"changed,omitempty"`   // and when last
	Unread       []string    `json:"unread,omitempty"`    // kinds that may not be listed: "Secret"
	Uninstalling bool        `json:"leaving,omitempty"`   // an uninstall has begun, and has not come to its end
	MissingKinds bool        `json:"-"`                   // the cluster does not have a kind that is recorded
}

// A Readiness says how many are ready. Of Unknown nobody could say it.
type Readiness struct {
	Ready   int `json:"ready"`
	Total   int `json:"total"`
	Unknown int `json:"unknown,omitempty"`
}

// A Component is how one component is.
type Component struct {
	Name      string    `json:"name"`
	State     State     `json:"state"`
	Objects   Readiness `json:"objects"`
	Workloads Readiness `json:"workloads"`
	Items     []Object  `json:"items,omitempty"` // what is not ready, or with StatusOptions.All everything
}

// An Object is how one object is, and why it is so.
type Object struct {
	Ref   cluster.Ref `json:"object"`
	State State       `json:"state"`
	Why   string      `json:"why,omitempty"`
	Owned []Object    `json:"owned,omitempty"` // with StatusOptions.Tree: its ReplicaSets and pods
}

// A State says in a word how a thing is.
type State string

// The states there are, the best first.
const (
	Ready       State = "ready"
	Unknown     State = "unknown"     // it could not be looked at
	Progressing State = "progressing" // on its way; to wait may be all it takes
	Missing     State = "missing"     // the record lists it and the cluster does not have it
	Failing     State = "failing"     // it does not come right by itself, as far as one can tell
)

// severity is how bad a state is.
func (s State) severity() int {
	return slices.Index([]State{Ready, Unknown, Progressing, Missing, Failing}, s)
}

// Options say how much to look at.
type Options struct {
	Tree bool // also what workloads own: ReplicaSets and pods
	All  bool // keep what is ready as well

	Locked bool // somebody is at work (see AtWork): what is not there yet was not cut off
}

// Read reads how the objects of an inventory are. Its requests are bounded by what is installed, not by the size of
// the cluster: one for each kind and namespace, and pods only where something is not ready. What may not be read is
// unknown, and named in Unread.
func Read(ctx context.Context, view cluster.View, inv *inventory.Inventory, o Options) (*Status, error) {
	seen, err := readSnapshot(ctx, view, inv.Objects, o)
	if err != nil {
		return nil, err
	}
	seen.uninstalling = inv.Uninstalling
	status := &Status{Name: inv.Name, Uninstalling: inv.Uninstalling, Components: []Component{}, Unread: seen.unreadKinds(), MissingKinds: len(seen.unknown) > 0}
	status.Installed, status.Changed = inv.Times()
	for _, entry := range inv.Objects {
		c := status.component(componentOf(entry))
		item := seen.assess(ctx, entry)
		c.add(item, runsPods(entry.Ref), o)
	}
	status.sum()
	return status, nil
}

// component returns the one of a name.
func (s *Status) component(name string) *Component {
	for i := range s.Components {
		if s.Components[i].Name == name {
			return &s.Components[i]
		}
	}
	s.Components = append(s.Components, Component{Name: name, State: Ready})
	return &s.Components[len(s.Components)-1]
}

// componentOf names the component of an object. Records of an older program do not: there it is the namespace.
func componentOf(e inventory.Entry) string {
	switch {
	case e.Component != "":
		return e.Component
	case e.Namespace != "":
		return e.Namespace
	}
	return "cluster"
}

func (c *Component) add(item Object, workload bool, o Options) {
	c.Objects.add(item.State)
	if workload {
		c.Workloads.add(item.State)
	}
	if item.State != Ready || o.All {
		c.Items = append(c.Items, item)
	}
	if item.State == Unknown && !workload {
		return // what runs decides whether a component works; not to see its configuration is no reason for doubt
	}
	if item.State.severity() > c.State.severity() {
		c.State = item.State
	}
}

func (c *Readiness) add(s State) {
	c.Total++
	switch s {
	case Ready:
		c.Ready++
	case Unknown:
		c.Unknown++
	}
}

// Unready is how many are known not to be ready.
func (c Readiness) Unready() int { return c.Total - c.Ready - c.Unknown }

func (c *Readiness) join(other Readiness) {
	c.Ready, c.Total, c.Unknown = c.Ready+other.Ready, c.Total+other.Total, c.Unknown+other.Unknown
}

func (s *Status) sum() {
	s.Ready = true
	for _, c := range s.Components {
		s.Objects.join(c.Objects)
		s.Workloads.join(c.Workloads)
		s.Ready = s.Ready && c.State == Ready
	}
}

// Inconclusive tells whether nothing is known to be wrong, but something that matters could not be looked at.
func (s *Status) Inconclusive() bool {
	blind := false
	for _, c := range s.Components {
		if c.State.severity() > Unknown.severity() {
			return false
		}
		blind = blind || c.State == Unknown
	}
	return blind
}
