package status

import (
	"context"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// A Status is the state of one installation: its inventory compared with the cluster.
type Status struct {
	Name         string      `json:"name,omitempty"` // the installation's; "" when this program did not install it
	Ready        bool        `json:"ready"`
	Objects      Readiness   `json:"objects"`
	Workloads    Readiness   `json:"workloads"` // of the objects: those that run pods
	Components   []Component `json:"components"`
	Installed    *time.Time  `json:"installed,omitempty"`   // when the inventory was first written
	Changed      *time.Time  `json:"changed,omitempty"`     // and when last
	Interrupted  int         `json:"interrupted,omitempty"` // objects that an interrupted install has not applied
	Drift        []Drift     `json:"drift,omitempty"`       // objects that others have changed since they were installed
	Unread       []string    `json:"unread,omitempty"`      // kinds that the user is not allowed to list: "Secret"
	Uninstalling bool        `json:"leaving,omitempty"`     // an uninstall has started and has not finished
	MissingKinds bool        `json:"-"`                     // the cluster does not have a listed kind
}

// A Readiness counts ready objects. Unknown ones could not be read.
type Readiness struct {
	Ready   int `json:"ready"`
	Total   int `json:"total"`
	Unknown int `json:"unknown,omitempty"`
}

// A Component is the state of one component.
type Component struct {
	Name      string    `json:"name"`
	State     State     `json:"state"`
	Objects   Readiness `json:"objects"`
	Workloads Readiness `json:"workloads"`
	Items     []Object  `json:"items,omitempty"` // objects that are not ready, or with Options.All every object
}

// An Object is the state of one object, and the reason.
type Object struct {
	Ref   cluster.Ref `json:"object"`
	State State       `json:"state"`
	Why   string      `json:"why,omitempty"`
	Owned []Object    `json:"owned,omitempty"` // with Options.Tree: its ReplicaSets and pods
}

// A State is the state of an object or component in one word.
type State string

// The states, best first.
const (
	Ready       State = "ready"
	Unknown     State = "unknown"     // it could not be read
	Progressing State = "progressing" // not ready yet; waiting may be enough
	Missing     State = "missing"     // the inventory lists it and the cluster does not have it
	Failing     State = "failing"     // unlikely to become ready by itself
)

// severity orders states, worst last.
func (s State) severity() int {
	return slices.Index([]State{Ready, Unknown, Progressing, Missing, Failing}, s)
}

// Options say how much to read and report.
type Options struct {
	Tree bool // include what workloads own: ReplicaSets and pods
	All  bool // include objects that are ready

	Locked bool // another client holds the Lease: a missing object does not mean that the install was interrupted
}

// Read determines the state of an inventory's objects. Its requests are bounded by what is installed, not by the size of
// the cluster: one for each kind and namespace, and pods only where a workload is not ready. Objects that the user is not
// allowed to read are Unknown, and their kinds are listed in Unread.
func Read(ctx context.Context, view cluster.View, inv *inventory.Inventory, o Options) (*Status, error) {
	seen, err := readSnapshot(ctx, view, inv.Objects, o)
	if err != nil {
		return nil, err
	}
	seen.uninstalling = inv.Uninstalling || inv.Uninstalled
	status := &Status{Name: inv.Name, Uninstalling: inv.Uninstalling, Components: []Component{}, Unread: seen.unreadKinds(), MissingKinds: len(seen.unknown) > 0}
	status.Installed, status.Changed = inv.Times()
	for _, entry := range inv.Objects {
		c := status.component(componentOf(entry))
		item := seen.assess(ctx, entry)
		c.add(item, runsPods(entry.Ref), o)
		status.compare(seen, entry)
	}
	status.sum()
	return status, nil
}

// compare notes how an object differs from what was installed. While another client changes the cluster, or after an uninstall has begun,
// that is to be expected.
func (s *Status) compare(seen *snapshot, e inventory.Entry) {
	if seen.locked || seen.uninstalling {
		return
	}
	if e.Applied == "" && !seen.blind(e) {
		s.Interrupted++
	}
	if live := seen.objects[e.Ref.Identity()]; live != nil && live.GetDeletionTimestamp() == nil {
		if fields := driftOf(e, live); len(fields) > 0 {
			s.Drift = append(s.Drift, Drift{Ref: e.Ref, Component: componentOf(e), Fields: fields})
		}
	}
}

// component returns the component with the given name.
func (s *Status) component(name string) *Component {
	for i := range s.Components {
		if s.Components[i].Name == name {
			return &s.Components[i]
		}
	}
	s.Components = append(s.Components, Component{Name: name, State: Ready})
	return &s.Components[len(s.Components)-1]
}

// componentOf returns the component of an object. Inventories of older versions do not have it: there it is the namespace.
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
		return // workloads decide whether a component works; configuration that cannot be read does not make it unknown
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

// Unready returns how many are known not to be ready.
func (c Readiness) Unready() int { return c.Total - c.Ready - c.Unknown }

func (c *Readiness) join(other Readiness) {
	c.Ready, c.Total, c.Unknown = c.Ready+other.Ready, c.Total+other.Total, c.Unknown+other.Unknown
}

func (s *Status) sum() {
	s.Ready = s.Interrupted == 0
	for _, c := range s.Components {
		s.Objects.join(c.Objects)
		s.Workloads.join(c.Workloads)
		s.Ready = s.Ready && c.State == Ready
	}
}

// Inconclusive reports whether nothing is known to be wrong, but something that matters could not be read.
func (s *Status) Inconclusive() bool {
	blind := false
	if s.Interrupted > 0 {
		return false
	}
	for _, c := range s.Components {
		if c.State.severity() > Unknown.severity() {
			return false
		}
		blind = blind || c.State == Unknown
	}
	return blind
}
