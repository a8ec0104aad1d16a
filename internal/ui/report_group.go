package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A group is the findings of one check that say the same of different objects. They are drawn as one: of 3,000 namespaces with
// the same problem, a person wants the problem, the number, and some names.
type group struct {
	check    *doctor.CheckReport
	findings []doctor.Finding
	leads    bool // the first group of its check, beneath which is drawn what the check explains
}

func (g group) first() doctor.Finding { return g.findings[0] }

// groups returns what is drawn, in the order of the checks: all findings but those that another check of the report explains.
func groups(r *doctor.Report) []group {
	var all []group
	for i := range r.Checks {
		c := &r.Checks[i]
		index := map[string]int{}
		for _, f := range c.Findings {
			if f.ExplainedBy != "" && r.Check(f.ExplainedBy) != nil {
				continue
			}
			key := saying(f)
			at, known := index[key]
			if !known {
				at = len(all)
				index[key] = at
				all = append(all, group{check: c, leads: len(index) == 1})
			}
			all[at].findings = append(all[at].findings, f)
		}
	}
	return all
}

// saying is what a finding says, whatever its object is called. Findings with the same cause say the same.
func saying(f doctor.Finding) string {
	parts := []string{string(f.Severity), f.About.Kind, f.ExplainedBy, f.Cause, f.Advice}
	if f.Cause == "" {
		parts = append(parts, f.Consequence)
	}
	if f.Cause == "" && f.Advice == "" {
		parts = append(parts, f.Message)
	}
	if f.Fix != nil {
		parts = append(parts, f.Fix.Title, string(f.Fix.Impact))
	}
	return nameless(strings.Join(parts, "\x00"), f.About)
}

// nameless is a text without the names of an object.
func nameless(text string, about doctor.Subject) string {
	var names []string
	for _, name := range []string{about.Name, about.Namespace} {
		if len(name) > 2 { // shorter ones are parts of words
			names = append(names, name, "")
		}
	}
	return strings.NewReplacer(names...).Replace(text)
}

// Details of a finding begin with a label, and line up beneath each other.
const (
	labels  = 4
	details = 13
)

func (p *page) detail(label, text string) {
	p.wrapped(strings.Repeat(" ", labels)+p.Paint(Dim, fmt.Sprintf("%-*s", details-labels, label)), details, text)
}

// group draws what some findings of a check say.
func (p *page) group(r *doctor.Report, g group, style ReportStyle) {
	f := g.first()
	p.about(string(f.Severity), g.check.ID, f.Message)
	for _, d := range [][2]string{{"Cause", f.Cause}, {"Impact", f.Consequence}, {"Object", f.About.String()}, {"Also", g.others(style)}} {
		if d[1] != "" {
			p.detail(d[0], d[1])
		}
	}
	if f.ExplainedBy != "" {
		p.detail("Cause", "see "+f.ExplainedBy+": kubectl kubeflow doctor "+escape.Word(f.ExplainedBy))
	}
	p.howToFix(r, g.check.ID, f, style)
	if g.leads {
		p.explained(r, g.check.ID)
	}
	if g.check.Reason != "" { // part of it was suppressed, or may not be read
		p.detail("Note", g.check.Reason)
	}
	if style.Wide {
		p.detail("Page", f.Page)
	}
}

// others says which objects a group has after the first: their names, or their messages where these differ in more than names.
func (g group) others(style ReportStyle) string {
	most := 3
	if style.Wide {
		most = len(g.findings)
	}
	var names, messages []string
	differ := false
	first := nameless(g.first().Message, g.first().About)
	for _, f := range g.findings[1:] {
		names = append(names, f.About.String())
		messages = append(messages, f.Message)
		differ = differ || nameless(f.Message, f.About) != first
	}
	switch {
	case len(names) == 0:
		return ""
	case differ:
		return text.List(messages, most)
	}
	return text.List(names, most)
}

// howToFix draws what to do about a finding: the command that fixes it, or what a person can do.
func (p *page) howToFix(r *doctor.Report, id string, f doctor.Finding, style ReportStyle) {
	switch {
	case f.Fix != nil && r.Source == "":
		command := "kubectl kubeflow doctor " + escape.Word(id) + " --fix"
		if f.Fix.Impact == doctor.LosesData {
			command += " --allow-data-loss"
		}
		p.line(strings.Repeat(" ", labels) + p.Paint(Dim, "Fix      ") + p.Paint(Cyan, command) + "  " + risk(f.Fix.Impact))
		if style.Verbose || style.Wide {
			p.detail("", strings.TrimSpace(f.Fix.Title+". "+f.Advice))
		}
	case f.Fix != nil:
		p.detail("Fix", f.Fix.Title+risk(f.Fix.Impact))
	case f.Advice != "":
		p.detail("Fix", f.Advice)
	}
	if f.Admin {
		p.detail("Note", "This takes an administrator of the cluster.")
	}
	if style.Wide && f.Fix != nil {
		p.changes(f.Fix)
	}
	if f.Command == "" || f.Fix != nil && !style.Wide {
		return
	}
	label := "Run"
	for line := range strings.Lines(f.Command) {
		p.line(strings.Repeat(" ", labels) + p.Paint(Dim, fmt.Sprintf("%-*s", details-labels, label)) + p.Paint(Cyan, strings.TrimRight(line, "\n")))
		label = ""
	}
}

func risk(impact doctor.Impact) string {
	return map[doctor.Impact]string{doctor.RestartsPods: " (restarts pods)", doctor.LosesData: " (deletes data)"}[impact]
}

// explained draws, beneath a cause, what comes of it: of each check the first finding, and what else is affected.
func (p *page) explained(r *doctor.Report, cause string) {
	for _, c := range r.Checks {
		first := ""
		var others []string
		for _, f := range c.Findings {
			if f.ExplainedBy != cause {
				continue
			}
			if first == "" {
				first = fmt.Sprintf("%s: %s", c.ID, f.Message)
			} else {
				others = append(others, f.About.Name)
			}
		}
		if len(others) > 0 {
			first += "; the same holds for " + text.List(others, 3)
		}
		if first != "" {
			p.detail("Explains", first)
		}
	}
}
