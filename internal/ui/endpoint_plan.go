package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
)

// ExposePlan shows what expose is going to change, before it asks.
func (s *Screen) ExposePlan(plan loadbalancer.Plan, t expose.Target, context, server string) {
	s.Say("On context %s (%s):", context, server)
	for _, note := range plan.Notes {
		s.Paragraph(note)
	}
	if plan.Adopts {
		s.Paragraph(plan.Service.String() + " was not created by expose: it is changed in place, and expose --remove keeps it.")
	}
	for _, change := range plan.All() {
		s.change(change)
	}
	s.Paragraph(fmt.Sprintf("Then the dashboard can be reached %s, with %s.", reaches[plan.Reach], t.Authentication))
}

// Paragraph writes progress that may be longer than a line.
func (s *Screen) Paragraph(text string) { fmt.Fprintln(s.ErrOut, fold(text, s.Width, "")) }

// Removal shows what expose --remove is going to delete, and what it takes back on objects that are not its own.
func (s *Screen) Removal(changes []cluster.Change, context, server string) {
	s.Say("On context %s (%s), created by expose:", context, server)
	for _, change := range changes {
		if change.Verb == cluster.Delete {
			s.Say("  %s", change.Ref())
			continue
		}
		s.change(change)
	}
}

// verbs are how a change reads in front of its object.
var verbs = map[cluster.Verb]string{cluster.Apply: "Create", cluster.Patch: "Change", cluster.Delete: "Delete", cluster.Restart: "Restart"}

func (s *Screen) change(c cluster.Change) {
	s.Say("%s %s", verbs[c.Verb], c.Ref())
	for line := range strings.Lines(cluster.Diff(c.Before, c.After)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "@@"), strings.TrimSpace(line) == "":
			continue // the object was named above
		case strings.HasPrefix(line, "+"):
			line = s.Paint(Green, line)
		case strings.HasPrefix(line, "-"):
			line = s.Paint(Red, line)
		}
		s.Say("  %s", line)
	}
}
