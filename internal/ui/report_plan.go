package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// Plan draws what would be done, with a diff per object, before asking for confirmation.
func (s *Screen) Plan(plan doctor.FixPlan) error {
	p := &page{Screen: s}
	for i, f := range plan.Apply {
		p.wrapped(fmt.Sprintf("%2d. ", i+1), 4, s.Paint(Bold, f.Fix.Title)+risk(f.Fix.Impact))
		p.text(4, f.Check+": "+f.Finding.Message)
		p.changes(f.Fix)
	}
	for _, f := range plan.Refuse {
		p.wrapped(" -  ", 4, f.Fix.Title+": skipped; "+f.Why)
	}
	return p.flush(s.ErrOut)
}

// changes draws diffs; restarts are named in one line.
func (p *page) changes(f *doctor.Fix) {
	var restarted []string
	for _, c := range doctor.Show(f.Changes) {
		if c.Diff == "" {
			if c.Verb == cluster.Restart {
				restarted = append(restarted, c.About.Name)
			}
			continue
		}
		if strings.Count(c.Diff, "\n") > 60 {
			p.text(5, fmt.Sprintf("%s %s (%d lines)", c.Verb, c.About, strings.Count(c.Diff, "\n")))
			continue
		}
		for line := range strings.Lines(c.Diff) {
			p.line("     " + p.diffLine(strings.TrimRight(line, "\n")))
		}
	}
	if len(restarted) > 0 {
		slices.Sort(restarted)
		p.text(5, "restart "+strings.Join(restarted, ", "))
	}
}

func (p *page) diffLine(line string) string {
	switch {
	case strings.HasPrefix(line, "+"):
		return p.Paint(Green, line)
	case strings.HasPrefix(line, "-"):
		return p.Paint(Red, line)
	}
	return line
}
