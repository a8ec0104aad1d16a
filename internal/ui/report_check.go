package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
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
