package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// head says what was looked at: in one line, or with everything that is known of the platform.
func (p *page) head(r *doctor.Report, whole bool) {
	release := "Kubeflow (release not recognised)"
	if r.Release.Name != "" {
		release = "Kubeflow " + r.Release.Name
	}
	if r.Namespace != "" {
		release = "Namespace " + r.Namespace
	}
	where := ""
	if r.Context != "" {
		where = " on " + r.Context
	}
	if r.Source != "" {
		where += " from " + r.Source
	}
	var about []string
	if r.Platform.AKS {
		about = append(about, "AKS")
	}
	if r.Kubernetes != "" {
		kubernetes := "Kubernetes " + r.Kubernetes
		if support := r.Platform.Support; support != "" && support != "supported" {
			kubernetes += ", on AKS " + support
		}
		about = append(about, kubernetes)
	}
	nodes := 0
	for _, pool := range r.Platform.Pools {
		nodes += pool.Nodes
	}
	if nodes > 0 {
		about = append(about, text.Plural(nodes, "node"))
	}
	line := release + where
	if len(about) > 0 {
		line += " (" + strings.Join(about, ", ") + ")"
	}
	p.text(0, line)
	if !whole {
		return
	}
	for _, fact := range append([]string{r.Server, r.Platform.Runtime}, platformFacts(r)...) {
		if fact != "" {
			p.text(0, p.Paint(Dim, fact))
		}
	}
}

// platformFacts are the lines about an AKS cluster beneath the head of a report.
func platformFacts(r *doctor.Report) []string {
	var pools, lines []string
	for _, pool := range r.Platform.Pools {
		about := fmt.Sprintf("%s (%s, %d x %s)", pool.Name, pool.Mode, pool.Nodes, pool.VMSize)
		if pool.Kubernetes != "" {
			about += " at " + pool.Kubernetes
		}
		pools = append(pools, about)
	}
	for _, fact := range [][2]string{
		{"pools", strings.Join(pools, ", ")}, {"network", r.Platform.Network}, {"add-ons", strings.Join(r.Platform.Addons, ", ")},
	} {
		if fact[1] != "" {
			lines = append(lines, fact[0]+": "+fact[1])
		}
	}
	return lines
}

// hints tells what to see to in Azure, since no cluster shows it.
func (p *page) hints(r *doctor.Report) {
	if len(r.Hints) == 0 {
		return
	}
	p.line("")
	p.line(p.Paint(Bold, "not visible from the cluster"))
	for _, h := range r.Hints {
		p.wrapped("  - ", 4, h)
	}
}

// verdict says in one sentence how Kubeflow is.
func verdict(r *doctor.Report) string {
	subject, well, ill := "Kubeflow", "is healthy", "is degraded"
	if r.Namespace != "" {
		subject, ill = "Namespace "+r.Namespace, "has problems"
	}
	if r.Source != "" && r.Context == "" {
		subject, well, ill = "Manifests", "pass", "have errors"
	}
	if r.Preflight {
		subject, well, ill = "The cluster", "has what an install needs", "is not ready for an install"
	}
	worst := r.Worst()
	warnings := 0
	for _, g := range groups(r) {
		if g.first().Severity == doctor.Warning {
			warnings++
		}
	}
	sentence := subject + " " + well + "."
	switch {
	case worst == doctor.Error:
		sentence = subject + " " + ill + "."
	case r.Summary.Unknown > 0 && r.Summary.OK == 0:
		sentence = "No check could run."
	case warnings > 0:
		sentence = fmt.Sprintf("%s %s, with %s.", subject, well, text.Plural(warnings, "warning"))
	case r.Summary.Unknown > 0:
		sentence = fmt.Sprintf("%s %s as far as the checks could run.", subject, well)
	}
	return fixed(r) + sentence
}

// fixed counts what a run of --fix did.
func fixed(r *doctor.Report) string {
	if len(r.Fixes) == 0 {
		return ""
	}
	made, planned, left := 0, 0, 0
	for _, f := range r.Fixes {
		switch f.Outcome {
		case doctor.Fixed:
			made++
		case doctor.Planned:
			planned++
		default:
			left++
		}
	}
	if planned > 0 {
		return fmt.Sprintf("%s would be made. ", text.Plural(planned, "fix"))
	}
	return fmt.Sprintf("%d fixed, %d left. ", made, left)
}

// fixes draws what became of each fix.
func (p *page) fixes(r *doctor.Report) {
	if len(r.Fixes) == 0 {
		return
	}
	p.line("")
	for _, t := range r.Fixes {
		m := outcomes[t.Outcome]
		text := t.Fix.Title
		if t.Reason != "" {
			text += " (" + t.Reason + ")"
		}
		p.wrapped(fmt.Sprintf("%s %-8s", p.Paint(m.style, p.Sign(m.sign, m.ascii)), t.Outcome), 4, text)
	}
}

var outcomes = map[doctor.Outcome]mark{
	doctor.Fixed: marks["ok"], doctor.Planned: marks["info"], doctor.Remains: marks["warning"],
	doctor.Worse: marks["error"], doctor.Failed: marks["error"], doctor.Refused: marks[string(doctor.NotApplicable)],
}
