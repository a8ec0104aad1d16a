package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// preflightFlags say what may not stand in the way of an install.
type preflightFlags struct {
	suppress []string // as doctor's
	adopt    []string // components

	ignored []doctor.Suppression
}

func (p *preflightFlags) add(f *pflag.FlagSet) {
	f.StringSliceVar(&p.adopt, "adopt", nil, "take over the objects of these `COMPONENTS` from what manages them now (Helm, Argo CD, Flux ...)")
	f.StringSliceVar(&p.suppress, "suppress", nil, "install in spite of what the check `ID[=KIND/NAMESPACE/NAME]` finds")
}

func (p *preflightFlags) validate() error {
	p.ignored = nil
	for _, text := range p.suppress {
		s, err := doctor.ParseSuppression(text)
		if err == nil {
			_, err = checks.Find(s.Check)
		}
		if err != nil {
			return &usageError{What: "--suppress: " + err.Error(), Next: "See the checks with: kubectl kubeflow doctor --list"}
		}
		p.ignored = append(p.ignored, s)
	}
	return nil
}

// preflight looks for everything that would stop the install half-way or keep it from becoming ready, says what is only to
// be known, and returns the rest as one error. Nothing is written. When the server's verdict on each object is shown anyway, it
// is not asked for it here.
func (o *installOptions) preflight(ctx context.Context, client *cluster.Client, plan *install.Plan, inventories []*install.Inventory, shown bool) error {
	for _, name := range o.adopt {
		if !slices.Contains(plan.Stages(), name) {
			return &usageError{What: "--adopt: there is no component " + name + " in this install", Next: "It is one of: " + strings.Join(plan.Stages(), ", ")}
		}
	}
	look := install.Preflight
	if shown {
		look = install.Feasible
	}
	refusal := look(ctx, client, plan)
	var refused *install.Refused
	if refusal != nil && !errors.As(refusal, &refused) {
		return refusal
	}
	if plan.Writes() == 0 {
		return refusal
	}
	report := o.examine(ctx, client, plan, inventories)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var problems []*cluster.Problem
	if refused != nil {
		problems = refused.Problems
	}
	for _, c := range report.Checks {
		if c.Status == doctor.Unknown {
			o.screen().Say("Note: %s was not looked at: %s", c.ID, c.Reason)
		}
		for _, f := range c.Findings {
			switch {
			case f.Severity == doctor.Error && refused != nil && c.ID == "platform/kubernetes-version": // the APIs that are missing are in the way already
			case f.Severity == doctor.Error:
				problems = append(problems, inTheWayOf(c.ID, f))
			default:
				o.screen().Say("Warning: %s (%s)%s", f.Message, c.ID, indented(f))
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &install.Refused{Problems: problems}
}

// examine runs the checks that matter before an install on the cluster as it will be.
func (o *installOptions) examine(ctx context.Context, client *cluster.Client, plan *install.Plan, inventories []*install.Inventory) *doctor.Report {
	view := client.View()
	coming := &doctor.Installation{Component: map[cluster.Ref]string{}, Ours: map[cluster.Ref]bool{}, Adopt: o.adopt, Now: view}
	for _, g := range plan.Objects {
		coming.Objects = append(coming.Objects, g.Object)
		coming.Component[g.Ref().Identity()] = g.Stage
	}
	for _, inventory := range inventories {
		for _, ref := range inventory.Refs() {
			coming.Ours[ref.Identity()] = true
		}
	}
	settings := doctor.Settings{Install: coming}
	if known, err := release.Find(plan.Release); err == nil {
		settings.Release = &known
	}
	chosen := slices.DeleteFunc(checks.All(), func(c *doctor.Check) bool { return !c.Preflight })
	return doctor.Diagnose(ctx, cluster.Lay(view, coming.Objects...), chosen, doctor.Options{Settings: settings, Suppress: o.ignored})
}

// inTheWayOf is a finding as something that is in the way of an install.
func inTheWayOf(check string, f doctor.Finding) *cluster.Problem {
	next := f.Advice
	if f.Command != "" {
		next += "\n  " + f.Command
	}
	return &cluster.Problem{What: f.Message, Next: fmt.Sprintf("%s\n  (to install all the same: --suppress %s)", next, check)}
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
