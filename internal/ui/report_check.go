package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
)

// Check draws what a check is about.
func (s *Screen) Check(c *doctor.Check) error {
	p := &page{Screen: s}
	p.text(0, s.Paint(Bold, c.ID))
	p.text(2, c.Title+".")
	p.line("")
	p.text(2, c.Why)
	p.line("")
	p.text(2, c.FixNote)
	p.line("")
	var kinds []string
	for _, kind := range c.Reads {
		kinds = append(kinds, kind.Kind)
	}
	p.text(2, "Reads: "+strings.Join(kinds, ", ")+".")
	for _, link := range c.Links() {
		p.line("  " + link)
	}
	p.line("  " + c.Page())
	return p.flush(s.Out)
}

// Reversals draws what an undo will do, object by object with a diff of each, and what it leaves.
func (s *Screen) Reversals(run fixes.Run, intents []fixes.Intent) error {
	p := &page{Screen: s}
	if !slices.ContainsFunc(intents, func(i fixes.Intent) bool { return i.Change != nil }) {
		p.text(0, fmt.Sprintf("Nothing of run %s is left to undo.", run.Name))
	} else {
		p.text(0, fmt.Sprintf("To undo run %s, these changes are made:", run.Name))
	}
	var restarts []string
	for _, i := range intents {
		switch {
		case i.Change == nil && i.Outcome == fixes.Kept:
			p.marked(string(doctor.Warning), fmt.Sprintf("%s is left as it is: %s", i.About, i.Reason))
		case i.Change == nil:
		case i.Change.Verb == cluster.Restart:
			restarts = append(restarts, i.About.String())
		default:
			p.text(2, fmt.Sprintf("%s %s", i.Change.Verb, i.About))
			p.diff(cluster.Diff(i.Change.Before, i.Change.After), i.Change.Verb == cluster.Patch)
		}
	}
	for _, about := range restarts {
		p.text(2, "restart "+about)
	}
	return p.flush(s.ErrOut)
}

// diff draws a diff. Of an object that is created or deleted the beginning is enough; what is changed is drawn whole.
func (p *page) diff(diff string, whole bool) {
	const most = 60
	lines := strings.Split(strings.TrimRight(diff, "\n"), "\n")
	for n, line := range lines {
		if n == most && !whole {
			p.text(5, fmt.Sprintf("... %d more lines", len(lines)-most))
			return
		}
		p.line("     " + p.diffLine(line))
	}
}

// Undone draws what was reverted and what was not.
func (s *Screen) Undone(u *fixes.Undone) error {
	p := &page{Screen: s}
	reverted, untouched := 0, 0
	for _, step := range u.Steps {
		switch step.Outcome {
		case fixes.Reverted:
			reverted++
			continue
		case fixes.Untouched:
			untouched++
			continue
		}
		text := fmt.Sprintf("%s was not reverted: %s", step.About, step.Outcome)
		if step.Reason != "" {
			text += ", " + step.Reason
		}
		p.marked(string(doctor.Warning), text)
	}
	summary := fmt.Sprintf("Run %s: %d of %s reverted", u.Run, reverted, text.Plural(len(u.Steps)-untouched, "change"))
	if untouched > 0 {
		summary += fmt.Sprintf("; %d more had never been made", untouched)
	}
	p.text(0, summary+".")
	return p.flush(s.Out)
}
