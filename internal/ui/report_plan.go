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
		p.proposal(i+1, len(plan.Apply), f)
	}
	p.refused(plan)
	return p.flush(s.ErrOut)
}

// Proposal draws one of several fixes, with a diff per object, before asking for confirmation.
func (s *Screen) Proposal(number, of int, f doctor.Proposal) error {
	p := &page{Screen: s}
	p.proposal(number, of, f)
	return p.flush(s.ErrOut)
}

// Refused draws which fixes are not made, and why.
func (s *Screen) Refused(plan doctor.FixPlan) error {
	p := &page{Screen: s}
	p.refused(plan)
	return p.flush(s.ErrOut)
}

func (p *page) proposal(number, of int, f doctor.Proposal) {
	p.wrapped(fmt.Sprintf("[%d/%d] ", number, of), 6, p.Paint(Bold, f.Fix.Title)+risk(f.Fix.Impact))
	p.text(4, f.Check+": "+f.Finding.Message)
	p.changes(f.Fix)
}

func (p *page) refused(plan doctor.FixPlan) {
	for _, f := range plan.Refuse {
		p.wrapped("-  ", 4, f.Fix.Title+": skipped; "+f.Why)
	}
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
