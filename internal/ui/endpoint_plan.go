package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
)

// ExposePlan shows what expose is going to change, before it asks: whole with every field, else as one line for what is created and
// one for what is changed.
func (s *Screen) ExposePlan(plan loadbalancer.Plan, t expose.Target, context, server string, whole bool) {
	s.Say("On context %s (%s):", context, server)
	for _, note := range plan.Notes {
		s.Paragraph(note)
	}
	if plan.Adopts {
		s.Paragraph(plan.Service.String() + " was not created by expose: it is changed in place, and expose --remove keeps it.")
	}
	if whole {
		for _, change := range plan.All() {
			s.change(change)
		}
	} else {
		s.changesInBrief(plan.All())
	}
	s.Paragraph(fmt.Sprintf("Then the dashboard can be reached %s, with %s.", reaches[plan.Reach], t.Authentication))
}

// changesInBrief names what is changed, by verb.
func (s *Screen) changesInBrief(changes []cluster.Change) {
	names := map[cluster.Verb][]string{}
	for _, change := range changes {
		names[change.Verb] = append(names[change.Verb], change.Ref().String())
	}
	for _, verb := range []cluster.Verb{cluster.Create, cluster.Apply, cluster.Patch, cluster.Restart, cluster.Delete} {
		if len(names[verb]) > 0 {
			s.Hanging(s.ErrOut, fmt.Sprintf("Will %-7s ", strings.ToLower(verbs[verb])), 13, strings.Join(names[verb], ", "))
		}
	}
	s.Say("  (--dry-run shows the YAML)")
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
var verbs = map[cluster.Verb]string{cluster.Create: "Create", cluster.Apply: "Create", cluster.Patch: "Change", cluster.Delete: "Delete", cluster.Restart: "Restart"}

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

// ChangeFor shows a change with a diff, and why it is made.
func (s *Screen) ChangeFor(c cluster.Change, reasons []string) {
	s.change(c)
	for _, reason := range reasons {
		s.Say("  because %s", reason)
	}
}
