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
