package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// head says what was looked at.
func (p *page) head(r *doctor.Report) {
	release := "Kubeflow (release not recognised)"
	if r.Release.Name != "" {
		release = "Kubeflow " + r.Release.Name
	}
	parts := []string{release}
	if r.Kubernetes != "" {
		kubernetes := "Kubernetes " + r.Kubernetes
		if support := r.Platform.Support; support != "" && support != "supported" {
			kubernetes += " (on AKS " + support + ")"
		}
		parts = append(parts, kubernetes)
	}
	if r.Platform.AKS {
		parts = append(parts, "AKS")
	}
	if r.Platform.Runtime != "" {
		parts = append(parts, r.Platform.Runtime)
	}
	where := r.Source
	if where == "" {
		where = strings.TrimSpace("context " + r.Context + " at " + r.Server)
	}
	p.text(0, strings.Join(parts, ", "))
	p.text(0, p.Paint(Dim, where))
	for _, fact := range platformFacts(r) {
		p.text(0, p.Paint(Dim, fact))
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

// summary counts in words.
func summary(r *doctor.Report) string {
	s := r.Summary
	parts := []string{fmt.Sprintf("%d ok", s.OK)}
	for _, c := range []struct {
		n    int
		noun string
	}{{s.Error, "error"}, {s.Warning, "warning"}} {
		if c.n > 0 {
			parts = append(parts, text.Plural(c.n, c.noun))
		}
	}
	for _, c := range []struct {
		n    int
		word string
	}{{s.Info, "for information"}, {s.Skipped, "not applicable"}, {s.Unknown, "unknown"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.word))
		}
	}
	return strings.Join(parts, ", ") + "."
}
