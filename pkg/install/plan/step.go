package plan

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A Step is what a plan does with some objects of one component.
type Step struct {
	Component string        `json:"component,omitempty"` // empty for what older releases or older programs brought
	Action    Action        `json:"action"`
	Objects   []cluster.Ref `json:"objects"`
	Reason    string        `json:"reason,omitempty"` // where one reason is behind all of them
}

// Steps returns what a plan does: by component, in the plan's order, and of each first what comes and then what goes.
// What stays as it is, is in none.
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

// plannedAction says what becomes of an object, as far as is known without, or with, a trial.
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

// InstalledRelease returns the release that is installed; empty when none is, or none that is known.
func (p *Plan) InstalledRelease() string {
	if p.Have == nil {
		return ""
	}
	return p.Have.Release
}

// Downgrade tells whether a plan puts an older release in the place of a newer one.
func (p *Plan) Downgrade() bool {
	return p.InstalledRelease() != "" && p.Release != "" && !p.Request.Partial && release.Older(p.Release, p.InstalledRelease())
}

// MixesReleases tells whether a plan puts parts of another release beside what stays of the installed one.
func (p *Plan) MixesReleases() bool {
	return p.Request.Partial && p.InstalledRelease() != "" && p.Release != p.InstalledRelease()
}

// FirstInstall tells whether nothing of a plan is on the cluster yet.
func (p *Plan) FirstInstall() bool {
	return p.Have == nil && !slices.ContainsFunc(p.Objects, func(g Gated) bool { return g.Version != "" && !nameOnly(g.Object) })
}

// PreviousManagers returns who applied the objects that a plan adopts, and how many there are; "" is nobody that is known.
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

// ComponentOf returns the component that a recorded object came with.
func (p *Plan) ComponentOf(ref cluster.Ref) string {
	at := slices.IndexFunc(p.Have.Objects, func(e inventory.Entry) bool { return e.Ref == ref })
	if at < 0 {
		return ""
	}
	return p.Have.Objects[at].Component
}
