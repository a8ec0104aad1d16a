package kubeflow

import (
	"context"
	"errors"
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
func (o *InstallOptions) preflight(ctx context.Context, client *cluster.Client, p *plan.Plan, inventories []*inventory.Inventory) (refusal, err error) {
	for _, name := range o.Adopt {
		if !slices.Contains(p.Stages(), name) {
			return nil, &problem.Error{Usage: true, What: "--adopt: there is no component " + name + " in this install", Next: "Specify one of: " + strings.Join(p.Stages(), ", ")}
		}
	}
	refusal = preflight.Run(ctx, client, p)
	var refused *preflight.BlockedError
	if refusal != nil && !errors.As(refusal, &refused) {
		return nil, refusal
	}
	if p.Writes() == 0 {
		return refusal, nil
	}
	report := o.examine(ctx, client.View(), p, inventories)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var problems []*problem.Error
	if refused != nil {
		problems = refused.Problems
	}
	problems = append(problems, o.blocking(report, refused != nil)...)
	if len(problems) == 0 {
		return nil, nil
	}
	return &preflight.BlockedError{Problems: problems}, nil
}

// examine runs the checks that matter before an install on the cluster as it will be.
func (o *InstallOptions) examine(ctx context.Context, view cluster.View, p *plan.Plan, inventories []*inventory.Inventory) *doctor.Report {
	coming := installationOf(p, inventories)
	coming.Adopt, coming.Now = o.Adopt, view
	settings := doctor.Settings{Install: coming}
	if known, err := release.Find(p.Release); err == nil {
		settings.Release = &known
	}
	chosen := slices.DeleteFunc(checks.All(), func(c *doctor.Check) bool { return !c.Preflight })
	return doctor.Diagnose(ctx, cluster.Overlay(view, coming.Objects...), chosen, doctor.Options{Settings: settings, Suppress: o.Suppress})
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

// blocking returns the findings that keep an install from beginning, and reports the others.
func (o *InstallOptions) blocking(report *doctor.Report, unfeasible bool) []*problem.Error {
	var problems []*problem.Error
	for _, c := range report.Checks {
		if c.Status == doctor.Unknown {
			o.Notify.say("Note: %s could not run: %s", c.ID, c.Reason)
		}
		for _, f := range c.Findings {
			switch {
			case f.Severity == doctor.Error && unfeasible && c.ID == "platform/kubernetes-version": // the APIs that are missing block it already
			case f.Severity == doctor.Error:
				problems = append(problems, problemOf(c.ID, f))
			default:
				o.Notify.warn("%s (%s)%s", f.Message, c.ID, indented(f))
			}
		}
	}
	return problems
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
