package kubeflow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// preflight looks for everything that would stop the install half-way or keep it from becoming ready. It reports what is only
// to be known, and returns the rest as one [preflight.BlockedError]. Nothing is written. A dry run looks for the same, so that a
// preview ends as the install would.
func (o *InstallOptions) preflight(ctx context.Context, client *cluster.Client, p *plan.Plan, inventories []*inventory.Inventory) (report *doctor.Report, refusal, err error) {
	for _, name := range o.Adopt {
		if !slices.Contains(p.Stages(), name) {
			return nil, nil, &problem.Error{Usage: true, What: "--adopt: there is no component " + name + " in this install", Next: "Specify one of: " + strings.Join(p.Stages(), ", ")}
		}
	}
	found, err := preflight.Look(ctx, client, p)
	if err != nil {
		return nil, nil, err
	}
	if p.Writes() > 0 || o.preflightChecks != nil {
		if report = o.examine(ctx, client.View(), p, inventories, found); ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
	}
	if blocked := o.blocking(report, found); len(blocked.Problems) > 0 {
		refusal = blocked
	}
	return report, refusal, nil
}

// Preflight looks for what an install would need and for what would stop it, with the checks that an install runs itself, and writes nothing.
// The report has these checks, or those of [checks.Preflight] that are chosen.
func Preflight(ctx context.Context, client *cluster.Client, o InstallOptions, chosen []*doctor.Check) (*doctor.Report, error) {
	o.DryRun, o.preflightChecks = DryRunClient, chosen
	if chosen == nil {
		o.preflightChecks = checks.Preflight()
	}
	p, err := PrepareInstall(ctx, client, o)
	if err != nil {
		return nil, err
	}
	report := p.report
	report.Context, report.Server, report.Preflight = client.Context, client.Server(), true
	if report.Release.From = "unknown"; p.Release != "" {
		report.Release = doctor.KnownRelease{Name: p.Release, From: "requested"}
	}
	for _, c := range report.Checks {
		for i := range c.Findings {
			c.Findings[i].Fix = nil // it would change what is not on the cluster yet
		}
	}
	return report, nil
}

// examine runs the checks that matter before an install on the cluster as it will be. found is what the plan is known to be stopped by.
func (o *InstallOptions) examine(ctx context.Context, view cluster.View, p *plan.Plan, inventories []*inventory.Inventory, found []preflight.Problem) *doctor.Report {
	coming := installationOf(p, inventories)
	coming.Adopt, coming.Now, coming.Blocked = o.Adopt, view, map[string][]*problem.Error{}
	for _, f := range found {
		coming.Blocked[f.Check] = append(coming.Blocked[f.Check], f.Error)
	}
	settings := doctor.Settings{Install: coming}
	if known, err := release.Find(p.Release); err == nil {
		settings.Release = &known
	}
	chosen := o.preflightChecks
	if chosen == nil {
		chosen = checks.Preflight()
	}
	suppress := slices.DeleteFunc(slices.Clone(o.Suppress), func(s doctor.Suppression) bool { return foundByPlan(s.Check) })
	return doctor.Diagnose(ctx, cluster.Overlay(view, coming.Objects...), chosen, doctor.Options{Settings: settings, Suppress: suppress})
}

// foundByPlan reports whether a check says what the plan itself found, which no one can install in spite of.
func foundByPlan(check string) bool {
	return slices.Contains([]string{preflight.APIs, preflight.Permissions, preflight.Objects}, check)
}

// installationOf is what the checks before an install know of it.
func installationOf(p *plan.Plan, inventories []*inventory.Inventory) *doctor.Installation {
	coming := &doctor.Installation{Component: map[cluster.Ref]string{}, Ours: map[cluster.Ref]bool{}}
	for _, g := range p.Objects {
		coming.Objects = append(coming.Objects, g.Object)
		coming.Component[g.Ref().Identity()] = g.Stage
	}
	for _, inventory := range inventories {
		for _, ref := range inventory.Refs() {
			coming.Ours[ref.Identity()] = true
		}
	}
	return coming
}

// blocking returns what keeps an install from beginning: what the plan found, and the errors of a report, whose other findings are announced.
func (o *InstallOptions) blocking(report *doctor.Report, found []preflight.Problem) *preflight.BlockedError {
	blocked := &preflight.BlockedError{}
	add := func(check string, p *problem.Error) {
		blocked.Problems, blocked.Checks = append(blocked.Problems, p), append(blocked.Checks, check)
	}
	noAPI := false
	for _, f := range found {
		add(f.Check, f.Error)
		noAPI = noAPI || f.Check == preflight.APIs
	}
	if report == nil {
		return blocked
	}
	for _, c := range report.Checks {
		if c.Status == doctor.Unknown && o.preflightChecks == nil {
			o.Notify.say("Note: %s could not run: %s", c.ID, c.Reason)
		}
		for _, f := range c.Findings {
			switch {
			case foundByPlan(c.ID):
			case f.Severity == doctor.Error && noAPI && c.ID == "platform/kubernetes-version": // the APIs that are missing block it already
			case f.Severity == doctor.Error:
				add(c.ID, problemOf(c.ID, f))
			case o.preflightChecks != nil || c.ID == "preflight/aks": // the report has it; install says it when it patches
			case f.Severity == doctor.Info:
				o.Notify.say("Note: %s (%s)%s", f.Message, c.ID, indented(f))
			default:
				o.Notify.warn("%s (%s)%s", f.Message, c.ID, indented(f))
			}
		}
	}
	return blocked
}

// problemOf is a finding as something that blocks an install.
func problemOf(check string, f doctor.Finding) *problem.Error {
	next := f.Advice
	if f.Command != "" {
		next += "\n  " + f.Command
	}
	return &problem.Error{What: f.Message, Next: fmt.Sprintf("%s\n  (to install anyway: --suppress %s)", next, check)}
}

// indented says below a warning what comes of it and what to do.
func indented(f doctor.Finding) string {
	text := ""
	for _, line := range []string{f.Consequence, f.Advice, f.Command} {
		if line != "" {
			text += "\n  " + line
		}
	}
	return text
}
