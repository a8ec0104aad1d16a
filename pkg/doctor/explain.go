package doctor

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// explain joins what is only a consequence to its cause: one cause is one finding, with everything else beneath it. The mention of a cause
// that was looked for and not found is dropped.
func (r *Report) explain() {
	faults := r.faults()
	for i := range r.Checks {
		own := r.Checks[i].ID
		for j := range r.Checks[i].Findings {
			f := &r.Checks[i].Findings[j]
			if cause := r.Check(f.ExplainedBy); cause != nil && cause.Status == OK {
				f.ExplainedBy = ""
			}
			if f.ExplainedBy == "" {
				f.ExplainedBy = r.causeOf(f, own, faults)
			}
		}
	}
	r.followCauses()
}

// faults returns the checks that found something worse than information, by the objects that it is about.
func (r *Report) faults() map[cluster.Ref][]string {
	by := map[cluster.Ref][]string{}
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if !f.Severity.AtLeast(Warning) {
				continue
			}
			for _, ref := range append([]cluster.Ref{f.About.Ref}, f.Affects...) {
				if id := ref.Identity(); !slices.Contains(by[id], c.ID) {
					by[id] = append(by[id], c.ID)
				}
			}
		}
	}
	return by
}

// causeOf returns the check that found the cause of a finding, "" if none did.
func (r *Report) causeOf(f *Finding, own string, faults map[cluster.Ref][]string) string {
	for _, ref := range f.Needs {
		for _, id := range faults[ref.Identity()] {
			if id != own {
				return id
			}
		}
	}
	for _, id := range f.PerhapsBy {
		if c := r.Check(id); c != nil && id != own && slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.Severity.AtLeast(Warning) }) {
			return id
		}
	}
	return ""
}

// followCauses makes each finding name its root cause: a cause that is itself explained is not drawn. Of two checks that explain each other,
// the one listed first is the cause.
func (r *Report) followCauses() {
	explained := map[string]string{} // checks all of whose findings have one cause
	for _, c := range r.Checks {
		if len(c.Findings) == 0 {
			continue
		}
		cause := c.Findings[0].ExplainedBy
		if cause != "" && !slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.ExplainedBy != cause }) && !r.circular(c.ID, cause, explained) {
			explained[c.ID] = cause
		}
	}
	for i := range r.Checks {
		c := &r.Checks[i]
		for j := range c.Findings {
			f := &c.Findings[j]
			root := f.ExplainedBy
			for explained[root] != "" {
				root = explained[root]
			}
			if f.ExplainedBy = root; root == c.ID {
				f.ExplainedBy = ""
			}
		}
	}
}

// circular reports whether a check would explain itself if it had this cause.
func (r *Report) circular(id, cause string, explained map[string]string) bool {
	for cause != "" && cause != id {
		cause = explained[cause]
	}
	return cause == id
}
