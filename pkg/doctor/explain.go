package doctor

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A blamed is a finding on its way to its root cause.
type blamed struct {
	*Finding
	check string
	order int // the place in the report: of findings that explain each other, the first is the cause
	cause *blamed
}

// explain joins what is only a consequence to its cause: one cause is one finding, with everything else beneath it. The mention of a cause
// that was looked for and not found is dropped.
func (r *Report) explain() {
	var all []*blamed
	byCheck := map[string][]*blamed{}
	byObject := map[cluster.Ref][]*blamed{}
	for i := range r.Checks {
		c := &r.Checks[i]
		for j := range c.Findings {
			b := &blamed{Finding: &c.Findings[j], check: c.ID, order: len(all)}
			all = append(all, b)
			byCheck[c.ID] = append(byCheck[c.ID], b)
			if !b.Severity.AtLeast(Warning) {
				continue
			}
			for _, ref := range append([]cluster.Ref{b.About.Ref}, b.Affects...) {
				if id := ref.Identity(); !slices.Contains(byObject[id], b) {
					byObject[id] = append(byObject[id], b)
				}
			}
		}
	}
	for _, b := range all {
		b.cause = r.causeOf(b, byCheck, byObject)
	}
	for _, b := range all {
		switch root := b.root(); {
		case root.check != b.check:
			b.ExplainedBy = root.check
		case b.cause != nil, b.ExplainedBy == b.check:
			b.ExplainedBy = "" // what the same check found is beside it
		}
	}
}

// causeOf returns the finding that is the nearest cause of another one, nil if there is none.
func (r *Report) causeOf(b *blamed, byCheck map[string][]*blamed, byObject map[cluster.Ref][]*blamed) *blamed {
	if c := r.Check(b.ExplainedBy); c != nil {
		if cause := first(byCheck[c.ID], b, Info); cause != nil {
			return cause
		}
		if c.Status == OK || c.Status == NotApplicable {
			b.ExplainedBy = ""
		}
	}
	if b.ExplainedBy != "" {
		return nil // by a check that was not run, or could not look
	}
	for _, ref := range b.Needs {
		if cause := first(byObject[ref.Identity()], b, Warning); cause != nil {
			return cause
		}
	}
	for _, id := range b.PerhapsBy {
		if cause := first(byCheck[id], b, Warning); cause != nil {
			return cause
		}
	}
	return nil
}

// first returns the first finding of another check that is at least as bad as that.
func first(list []*blamed, b *blamed, least Severity) *blamed {
	for _, other := range list {
		if other.check != b.check && other.Severity.AtLeast(least) {
			return other
		}
	}
	return nil
}

// root follows causes to the one that has none. Where they lead in a circle, the first in the report is the root.
func (b *blamed) root() *blamed {
	var path []*blamed
	at := b
	for !slices.Contains(path, at) {
		if at.cause == nil {
			return at
		}
		path = append(path, at)
		at = at.cause
	}
	circle := path[slices.Index(path, at):]
	return slices.MinFunc(circle, func(x, y *blamed) int { return x.order - y.order })
}
