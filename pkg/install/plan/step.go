package plan

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

// An Action is what an install does with an object.
type Action string

const (
	Create    Action = "create"
	Adopt     Action = "adopt" // take over an existing object that an install never applied
	Change    Action = "change"
	Recreate  Action = "recreate" // it cannot be changed in place
	Unchanged Action = "unchanged"
	Delete    Action = "delete"
	Keep      Action = "keep"
	Unknown   Action = "unknown" // the server could not tell, for example because the kind does not exist yet
	Rejected  Action = "refused"
)

// actions is the order of a component's steps.
var actions = []Action{Create, Adopt, Change, Recreate, Rejected, Delete, Keep}

// A Step is what a plan does with some objects of one component.
type Step struct {
	Component string        `json:"component,omitempty"` // empty for left-overs, and objects from older inventories
	Action    Action        `json:"action"`
	Objects   []cluster.Ref `json:"objects"`
	Reason    string        `json:"reason,omitempty"` // shared by all objects
}

// Steps returns what a plan does, by component in the plan's order, and within a component by action. Unchanged objects are
// in none.
func (p *Plan) Steps() []Step {
	var steps []Step
	add := func(component string, action Action, reason string, ref cluster.Ref) {
		at := slices.IndexFunc(steps, func(s Step) bool { return s.Component == component && s.Action == action && s.Reason == reason })
		if at < 0 {
			steps, at = append(steps, Step{Component: component, Action: action, Reason: reason}), len(steps)
		}
		steps[at].Objects = append(steps[at].Objects, ref)
	}
	for _, g := range p.Objects {
		if action := g.plannedAction(); action != Unchanged {
			add(g.Stage, action, "", g.Ref())
		}
	}
	for _, ref := range p.Prune {
		add(p.ComponentOf(ref), Delete, "", ref)
	}
	for _, ref := range p.Keep {
		add(p.ComponentOf(ref), Keep, RetainedReason, ref)
	}
	for _, ref := range p.Foreign {
		add(p.ComponentOf(ref), Keep, ForeignReason, ref)
	}
	for _, left := range p.LeftOvers {
		add("", Delete, left.Why, left.Ref)
	}
	return sortSteps(steps, p.Stages())
}

func sortSteps(steps []Step, stages []string) []Step {
	place := func(s Step) int {
		at := slices.Index(stages, s.Component)
		if at < 0 {
			at = len(stages)
		}
		return at*len(actions) + slices.Index(actions, s.Action)
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return place(a) - place(b) })
	return steps
}

// plannedAction returns the action for an object, as far as it is known with or without a dry run.
func (g Gated) plannedAction() Action {
	switch {
	case g.Unchanged:
		return Unchanged
	case g.Verdict != nil && (g.Verdict.Action == Recreate || g.Verdict.Action == Rejected):
		return g.Verdict.Action
	case g.Adopted:
		return Adopt
	case g.Verdict != nil && g.Verdict.Action == Unchanged:
		return Unchanged
	case g.Version == "":
		return Create
	}
	return Change
}

// InstalledRelease returns the installed release, empty if none or an unknown one is installed.
func (p *Plan) InstalledRelease() string {
	if p.Have == nil {
		return ""
	}
	return p.Have.Release
}

// Downgrade reports whether a plan replaces a release with an older one.
func (p *Plan) Downgrade() bool {
	return p.InstalledRelease() != "" && p.Release != "" && !p.Request.Partial && version.Older(p.Release, p.InstalledRelease())
}

// MixesReleases reports whether a plan installs components of another release than the rest of the installation.
func (p *Plan) MixesReleases() bool {
	return p.Request.Partial && p.InstalledRelease() != "" && p.Release != p.InstalledRelease()
}

// FirstInstall reports whether no object of a plan exists yet.
func (p *Plan) FirstInstall() bool {
	return p.Have == nil && !slices.ContainsFunc(p.Objects, func(g Gated) bool { return g.Version != "" && !nameOnly(g.Object) })
}

// PreviousManagers counts the adopted objects by the field manager that applied them; "" is an unknown one.
func (p *Plan) PreviousManagers() map[string]int {
	out := map[string]int{}
	for _, g := range p.Objects {
		switch {
		case !g.Adopted:
		case len(g.PreviousManagers) == 0:
			out[""]++
		default:
			out[g.PreviousManagers[0]]++
		}
	}
	return out
}

// ComponentOf returns the component of an object in the inventory.
func (p *Plan) ComponentOf(ref cluster.Ref) string {
	at := slices.IndexFunc(p.Have.Objects, func(e inventory.Entry) bool { return e.Ref == ref })
	if at < 0 {
		return ""
	}
	return p.Have.Objects[at].Component
}
