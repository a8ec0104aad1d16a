package doctor

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Proposal is one fix with the finding it is for.
type Proposal struct {
	Check   string
	Finding Finding
	Fix     *Fix
	Why     string // why it is refused; "" when it is not
}

// A FixPlan is what one round of curing would do, and what it leaves alone for want of a yes.
type FixPlan struct {
	Apply, Refuse []Proposal
}

// flags are what allows an impact.
var flags = map[Impact]string{
	RestartsPods: "it restarts pods: allow that with --allow-restart",
	LosesData:    "it deletes data: allow that with --allow-data-loss",
}

// PlanFixes chooses the fixes of one round, in the order of the checks: one per object, none for what
// another finding explains, and only what is allowed. It touches nothing.
func PlanFixes(r *Report, allow []Impact) FixPlan {
	var p FixPlan
	claimed := map[cluster.Ref]bool{}
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if f.Fix == nil || f.ExplainedBy != "" {
				continue
			}
			proposal := Proposal{Check: c.ID, Finding: f, Fix: f.Fix}
			if f.Fix.Impact != Safe && !slices.Contains(allow, f.Fix.Impact) {
				proposal.Why = flags[f.Fix.Impact]
				p.Refuse = append(p.Refuse, proposal)
				continue
			}
			if claim(claimed, f.Fix) {
				p.Apply = append(p.Apply, proposal)
			}
		}
	}
	return p
}

// claim reserves the objects of a fix, unless another fix of the round has one of them. Restarts are
// no reason to wait: they are made once for all.
func claim(claimed map[cluster.Ref]bool, f *Fix) bool {
	mine := map[cluster.Ref]bool{}
	for _, c := range f.Changes {
		if c.Verb != cluster.Restart {
			mine[c.Ref().Identity()] = true
		}
	}
	for ref := range mine {
		if claimed[ref] {
			return false
		}
	}
	for ref := range mine {
		claimed[ref] = true
	}
	return true
}
