package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// ReportMarkdown writes a report to be pasted into an issue: what this is, a table of what is wrong, and the details. All text
// may hold what others wrote, so all of it is escaped.
func (s *Screen) ReportMarkdown(r *doctor.Report) error {
	var b strings.Builder
	var words []string
	for _, c := range counts(r) {
		words = append(words, c.words)
	}
	fmt.Fprintf(&b, "### Kubeflow doctor\n\n%s %s\n\n", verdict(r), strings.Join(words, ", ")+".")
	for _, fact := range [][2]string{{"Namespace", r.Namespace}, {"Kubeflow", r.Release.Name}, {"Kubernetes", r.Kubernetes}, {"Runtime", r.Platform.Runtime}, {"Manifests", r.Source}} {
		if fact[1] != "" {
			fmt.Fprintf(&b, "- %s: %s\n", fact[0], escape.Markdown(fact[1]))
		}
	}
	if r.Platform.AKS {
		b.WriteString("- Platform: AKS\n")
	}
	for _, fact := range platformFacts(r) {
		b.WriteString("- " + escape.Markdown(fact) + "\n")
	}
	b.WriteString("\n")
	rows := 0
	problems := r.Problems()
	for _, p := range problems {
		f := p.Finding
		if rows++; rows == 1 {
			b.WriteString("| | check | object | what is wrong |\n|---|---|---|---|\n")
		}
		fmt.Fprintf(&b, "| %s | [%s](%s) | %s | %s |\n", f.Severity, p.Check.ID, f.Page, escape.Cell(escape.Code(f.About.String())), cell(f.Message))
	}
	for _, c := range r.Checks {
		if c.Status == doctor.Unknown {
			if rows++; rows == 1 {
				b.WriteString("| | check | object | what is wrong |\n|---|---|---|---|\n")
			}
			fmt.Fprintf(&b, "| unknown | %s | | %s |\n", c.ID, cell(c.Reason))
		}
	}
	for _, p := range problems {
		detail(&b, p.Check.ID, *p.Finding)
	}
	for i, t := range r.Fixes {
		if i == 0 {
			b.WriteString("\n#### Fixes\n\n")
		}
		fmt.Fprintf(&b, "- %s: %s", t.Outcome, escape.Markdown(t.Fix.Title))
		if t.Reason != "" {
			fmt.Fprintf(&b, " (%s)", escape.Markdown(t.Reason))
		}
		b.WriteString("\n")
	}
	_, err := fmt.Fprint(s.Out, b.String())
	return err
}

func detail(b *strings.Builder, id string, f doctor.Finding) {
	if f.Consequence+f.Cause+f.Advice+f.Command+f.ExplainedBy == "" && f.Fix == nil {
		return
	}
	fmt.Fprintf(b, "\n#### %s\n\n%s\n\n", id, escape.Markdown(f.Message))
	for _, text := range []string{f.Consequence, f.Cause, f.Advice} {
		if text != "" {
			fmt.Fprintf(b, "%s\n\n", escape.Markdown(text))
		}
	}
	if f.ExplainedBy != "" {
		fmt.Fprintf(b, "Explained by %s.\n\n", f.ExplainedBy)
	}
	if f.Fix != nil {
		fmt.Fprintf(b, "Fix: %s.\n\n", escape.Markdown(f.Fix.Title+risk(f.Fix.Impact)))
	}
	if f.Command != "" {
		fmt.Fprintf(b, "%s\n\n", escape.Block(f.Command))
	}
}

// cell returns text for a cell of a table.
func cell(text string) string { return escape.Cell(escape.Markdown(text)) }
