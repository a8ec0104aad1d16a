package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A ReportStyle says how much of a report to draw.
type ReportStyle struct {
	Verbose bool   // every check, by area
	Wide    bool   // every check, with every diff and page
	Quiet   bool   // the verdict alone
	Next    string // what to type next; "" for nothing
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

// sign is the sign of a status in its colour.
func (p *page) sign(status string) string {
	m := marks[status]
	return p.Paint(m.style, p.Sign(m.sign, m.ascii))
}

// Report draws what doctor found: the counts first, then the problems by severity, one line for notes, and the verdict last.
func (s *Screen) Report(r *doctor.Report, style ReportStyle) error {
	p := &page{Screen: s}
	switch {
	case style.Quiet:
	case style.Verbose, style.Wide:
		p.head(r, true)
		p.counts(r)
		p.areas(r, style)
		p.denied(r, true)
		p.hints(r)
		p.fixes(r)
	default:
		p.head(r, false)
		p.counts(r)
		p.fixes(r)
		p.problems(r)
		p.line("")
		p.notes(r)
		p.unknown(r)
	}
	if n := len(p.lines); n > 0 && p.lines[n-1] != "" {
		p.line("")
	}
	p.text(0, verdict(r))
	if r.Omitted > 0 {
		p.text(0, fmt.Sprintf("%s of the whole cluster: an administrator sees more with kubectl kubeflow doctor", text.Plural(r.Omitted, "more check")))
	}
	if style.Next != "" {
		p.text(0, style.Next)
	}
	return p.flush(s.Out)
}

// A count is how many of a status there are, with the word for it.
type count struct{ status, words string }

// counts counts what is drawn. A finding that another one explains is drawn beneath that one and does not count.
func counts(r *doctor.Report) []count {
	bySeverity := map[doctor.Severity]int{}
	for _, g := range groups(r) {
		bySeverity[g.first().Severity]++
	}
	var all []count
	for _, c := range []struct {
		status string
		n      int
		words  string
	}{
		{string(doctor.Error), bySeverity[doctor.Error], text.Plural(bySeverity[doctor.Error], "error")},
		{string(doctor.Warning), bySeverity[doctor.Warning], text.Plural(bySeverity[doctor.Warning], "warning")},
		{string(doctor.Info), bySeverity[doctor.Info], text.Plural(bySeverity[doctor.Info], "note")},
		{string(doctor.Unknown), r.Summary.Unknown, fmt.Sprint(r.Summary.Unknown, " unknown")},
		{string(doctor.OK), r.Summary.OK, fmt.Sprint(r.Summary.OK, " passed")},
		{string(doctor.NotApplicable), r.Summary.Skipped, fmt.Sprint(r.Summary.Skipped, " not applicable")},
	} {
		if c.n > 0 {
			all = append(all, count{c.status, c.words})
		}
	}
	return all
}

// counts draws the counts in one line.
func (p *page) counts(r *doctor.Report) {
	line := ""
	for _, c := range counts(r) {
		part := p.sign(c.status) + " " + c.words
		if line != "" && columns(line)+3+columns(part) > p.Width {
			p.line(line)
			line = ""
		}
		if line != "" {
			line += "   "
		}
		line += part
	}
	p.line(line)
}

// problems draws the errors and then the warnings.
func (p *page) problems(r *doctor.Report) {
	for _, severity := range []doctor.Severity{doctor.Error, doctor.Warning} {
		for _, g := range groups(r) {
			if g.first().Severity == severity {
				p.line("")
				p.group(r, g, ReportStyle{})
			}
		}
	}
}

// notes names in one line what is for information.
func (p *page) notes(r *doctor.Report) {
	var ids []string
	n := 0
	for _, g := range groups(r) {
		if g.first().Severity == doctor.Info {
			n++
			ids = append(ids, g.check.ID)
		}
	}
	if n > 0 {
		p.wrapped(p.sign(string(doctor.Info))+" ", 2, fmt.Sprintf("%s: %s (-v shows them)", text.Plural(n, "note"), strings.Join(slices.Compact(ids), ", ")))
	}
}

// areas draws every check.
func (p *page) areas(r *doctor.Report, style ReportStyle) {
	area := ""
	all := groups(r)
	for _, c := range r.Checks {
		if a, _, _ := strings.Cut(c.ID, "/"); a != area {
			area = a
			p.line("")
			p.line(p.Paint(Bold, area))
		}
		if _, denied := permission(c); denied { // in one block
			continue
		}
		if c.Status != doctor.Found {
			title := c.Title
			if c.Reason != "" {
				title += " (" + c.Reason + ")"
			}
			p.about(string(c.Status), c.ID, title)
			continue
		}
		drawn := false
		for _, g := range all {
			if g.check.ID == c.ID {
				p.group(r, g, style)
				drawn = true
			}
		}
		if !drawn {
			p.about(string(c.Findings[0].Severity), c.ID, "explained by "+c.Findings[0].ExplainedBy)
		}
	}
}

// about draws the line of a check: its sign, its ID, and what there is to say of it.
func (p *page) about(status, id, what string) {
	p.wrapped(p.sign(status)+" "+p.Paint(Bold, id)+"  ", 4, what)
}

// Lines writes lines as they are, apart from characters that steer a terminal.
func (s *Screen) Lines(lines []string) error {
	p := &page{Screen: s}
	for _, line := range lines {
		p.line(line)
	}
	return p.flush(s.Out)
}

// ReportLines draws one line per finding, the worst first, and nothing for what is well.
func (s *Screen) ReportLines(r *doctor.Report) error {
	p := &page{Screen: s}
	for _, severity := range []doctor.Severity{doctor.Error, doctor.Warning, doctor.Info} {
		for _, c := range r.Checks {
			for _, f := range c.Findings {
				if f.Severity == severity {
					p.line(strings.Join([]string{string(f.Severity), c.ID, f.About.Ref.String(), f.Message}, "  "))
				}
			}
		}
	}
	for _, c := range r.Checks {
		if c.Status == doctor.Unknown {
			p.line(strings.Join([]string{string(c.Status), c.ID, "", c.Reason}, "  "))
		}
	}
	return p.flush(s.Out)
}
