package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A ReportStyle says how much of a report to draw.
type ReportStyle struct {
	Wide bool   // with every diff and page
	Next string // what to type next; "" for nothing
}

// mark is how a status or severity looks: a sign and a word that says the same.
type mark struct {
	sign, ascii, word string
	style             Style
}

var marks = map[string]mark{
	string(doctor.OK):            {"✓", "+", "ok", Green},
	string(doctor.Info):          {"i", "i", "info", Cyan},
	string(doctor.Warning):       {"!", "!", "warning", Yellow},
	string(doctor.Error):         {"✗", "x", "error", Red},
	string(doctor.NotApplicable): {"-", "-", "n/a", Dim},
	string(doctor.Unknown):       {"?", "?", "unknown", Yellow},
}

// margin is the width of the sign and the word, below which details line up.
const margin = 12

// Report draws what doctor found: grouped by area, one line for what is well, details beneath what is not.
func (s *Screen) Report(r *doctor.Report, style ReportStyle) error {
	p := &page{Screen: s}
	p.head(r)
	area := ""
	for _, c := range r.Checks {
		if a, _, _ := strings.Cut(c.ID, "/"); a != area {
			area = a
			p.line("")
			p.line(s.Paint(Bold, area))
		}
		p.check(r, c, style)
	}
	p.fixes(r)
	p.hints(r)
	p.line("")
	p.text(0, summary(r))
	if style.Next != "" {
		p.text(0, style.Next)
	}
	return p.flush(s.Out)
}

func (p *page) check(r *doctor.Report, c doctor.CheckReport, style ReportStyle) {
	if c.Status != doctor.Found {
		title := c.Title
		if c.Reason != "" {
			title += " (" + c.Reason + ")"
		}
		p.marked(string(c.Status), title)
		return
	}
	var last doctor.Finding
	for _, f := range c.Findings {
		if f.ExplainedBy != "" && r.Check(f.ExplainedBy) != nil {
			continue // drawn beneath its cause
		}
		if f.Severity == last.Severity && f.Cause == last.Cause && f.Fix != nil && !style.Wide {
			p.wrapped(strings.Repeat(" ", margin)+"also: ", margin+2, f.Message)
			continue
		}
		p.finding(f, style)
		last = f
	}
	if last.Message == "" {
		f := c.Findings[0]
		p.marked(string(f.Severity), fmt.Sprintf("%s: explained by %s", c.ID, f.ExplainedBy))
		return
	}
	p.explained(r, c.ID)
	if c.Reason != "" { // part of it was suppressed, or may not be read
		p.text(margin, p.Paint(Dim, "("+c.Reason+")"))
	}
	p.text(margin, p.Paint(Dim, more(c, style)))
}

// more says where to read on.
func more(c doctor.CheckReport, style ReportStyle) string {
	if style.Wide {
		return c.Findings[0].Page
	}
	return "More: kubectl kubeflow doctor --explain " + escape.Word(c.ID)
}

func (p *page) finding(f doctor.Finding, style ReportStyle) {
	p.marked(string(f.Severity), f.Message)
	p.text(margin, p.Paint(Dim, f.About.String()))
	for _, text := range []string{f.Consequence, f.Cause, f.Advice} {
		if text != "" {
			p.text(margin, text)
		}
	}
	if f.ExplainedBy != "" {
		p.text(margin, "Explained by "+f.ExplainedBy+": look at that one.")
	}
	if f.Fix != nil {
		p.text(margin, "Fix: "+f.Fix.Title+risk(f.Fix.Impact)+".")
	}
	if style.Wide && f.Fix != nil {
		p.changes(f.Fix)
	}
	if f.Command != "" && (style.Wide || f.Fix == nil) {
		by := "By hand:"
		if strings.HasPrefix(f.Command, "kubectl kubeflow ") {
			by = "With:"
		}
		p.text(margin, by)
		for line := range strings.Lines(f.Command) {
			p.line(strings.Repeat(" ", margin+2) + p.Paint(Cyan, strings.TrimRight(line, "\n")))
		}
	}
}

func risk(impact doctor.Impact) string {
	return map[doctor.Impact]string{doctor.RestartsPods: " (restarts pods)", doctor.LosesData: " (deletes data)"}[impact]
}

// explained draws, beneath a cause, what comes of it: of each check the first finding, and what else is affected.
func (p *page) explained(r *doctor.Report, cause string) {
	for _, c := range r.Checks {
		text := ""
		var others []string
		for _, f := range c.Findings {
			if f.ExplainedBy != cause {
				continue
			}
			if text == "" {
				text = fmt.Sprintf("%s: %s", c.ID, f.Message)
			} else {
				others = append(others, f.About.Name)
			}
		}
		if len(others) > 0 {
			text += "; the same holds for " + strings.Join(others, ", ")
		}
		if text != "" {
			p.wrapped(strings.Repeat(" ", margin)+p.Sign("→", "->")+" ", margin+2, "explains "+text)
		}
	}
}

// fixes draws what became of each fix.
func (p *page) fixes(r *doctor.Report) {
	if len(r.Fixes) == 0 {
		return
	}
	p.line("")
	p.line(p.Paint(Bold, "fixes"))
	for _, t := range r.Fixes {
		m := outcomes[t.Outcome]
		text := t.Fix.Title
		if t.Reason != "" {
			text += " (" + t.Reason + ")"
		}
		p.wrapped(fmt.Sprintf("  %s %-8s", p.Paint(m.style, p.Sign(m.sign, m.ascii)), t.Outcome), margin, text)
	}
}

var outcomes = map[doctor.Outcome]mark{
	doctor.Fixed: marks["ok"], doctor.Planned: marks["info"], doctor.Remains: marks["warning"],
	doctor.Worse: marks["error"], doctor.Failed: marks["error"], doctor.Refused: marks[string(doctor.NotApplicable)],
}

// ReportLines draws one line per finding, and nothing for what is well.
func (s *Screen) ReportLines(r *doctor.Report) error {
	p := &page{Screen: s}
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			p.line(strings.Join([]string{string(f.Severity), c.ID, f.About.Ref.String(), f.Message}, "  "))
		}
		if c.Status == doctor.Unknown {
			p.line(strings.Join([]string{string(c.Status), c.ID, "", c.Reason}, "  "))
		}
	}
	return p.flush(s.Out)
}
