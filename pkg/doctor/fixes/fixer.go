package fixes

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
)

// Options say what may be done and who is asked.
type Options struct {
	doctor.Options
	Allow    []doctor.Impact                                                  // beyond Safe
	DryRun   bool                                                             // stop when the fixes are known
	Wait     time.Duration                                                    // how long restarted workloads may take to be ready
	Confirm  func(context.Context, doctor.FixPlan) ([]doctor.Proposal, error) // returns which fixes of a plan are agreed to; nil agrees to all
	Refuse   func(doctor.Proposal) (why string)                               // says why a fix is not made, "" if it is; may be nil
	Progress func(line string)
	Now      func() time.Time
}

// Apply diagnoses, applies the fixes that are allowed, and diagnoses again, until no allowed fix is left. The report is the last
// diagnosis, with the result of each fix. The error is a failed request or a cancelled context; the report then shows what was
// done, and that can still be undone. It holds the cluster's Lease from the first confirmed round on (see [lock.Acquire]).
func Apply(ctx context.Context, client *cluster.Client, checks []*doctor.Check, o Options) (*doctor.Report, error) {
	c := &fixer{client: client, checks: checks, Options: o}
	defer func() { c.release() }()
	var report *doctor.Report
	for range doctor.Rounds {
		report = doctor.Diagnose(ctx, client.View(), checks, o.Options)
		c.look(report)
		if ctx.Err() != nil {
			return c.finish(ctx, report, ctx.Err())
		}
		plan := c.untried(c.permitted(doctor.PlanFixes(report, o.Allow)))
		if len(plan.Apply) == 0 {
			return c.finish(ctx, report, nil)
		}
		c.preview(ctx, plan.Apply)
		if o.DryRun {
			c.note(plan.Apply, doctor.Planned, "")
			return c.finish(ctx, report, nil)
		}
		agreed, err := c.confirm(ctx, plan)
		if err != nil || len(agreed) == 0 {
			c.note(plan.Apply, doctor.Refused, notConfirmed)
			return c.finish(ctx, report, err)
		}
		c.decline(plan.Apply, agreed)
		held, err := c.hold(ctx)
		if err != nil {
			return c.finish(ctx, report, err)
		}
		if err := c.apply(held, report, agreed); err != nil {
			return c.finish(ctx, report, cmp.Or(lock.Lost(held), err))
		}
	}
	report = doctor.Diagnose(ctx, client.View(), checks, o.Options)
	c.look(report)
	return c.finish(ctx, report, nil)
}

// A fixer is one run of doctor --fix.
type fixer struct {
	Options
	client *cluster.Client
	checks []*doctor.Check
	held   context.Context // while this run holds the Lease
	free   func()
	run    *Run
	done   []*doctor.FixResult
	other  []*doctor.FixResult // refused or planned
	no     []doctor.Proposal   // not agreed to
}

// hold acquires the Lease for the rest of the run.
func (c *fixer) hold(ctx context.Context) (context.Context, error) {
	if c.held != nil {
		return c.held, nil
	}
	held, free, err := lock.Acquire(ctx, c.client, "fixing Kubeflow", func(e lock.Event) { c.say(e.String()) })
	c.held, c.free = held, free
	return held, err
}

func (c *fixer) release() {
	if c.free != nil {
		c.free()
	}
}

// look updates what became of the fixes that were made.
func (c *fixer) look(r *doctor.Report) {
	for _, t := range c.done {
		if t.Outcome != doctor.Failed {
			t.Judge(r)
		}
	}
}

// most is how often the same fix is tried when another client changes the object in between.
const most = 3

// permitted refuses what the caller refuses, and what was not agreed to.
func (c *fixer) permitted(p doctor.FixPlan) doctor.FixPlan {
	out := doctor.FixPlan{Refuse: p.Refuse}
	for _, proposal := range p.Apply {
		switch {
		case c.declined(proposal):
			proposal.Why = notConfirmed
		case c.Refuse != nil:
			proposal.Why = c.Refuse(proposal)
		}
		if proposal.Why != "" {
			out.Refuse = append(out.Refuse, proposal)
		} else {
			out.Apply = append(out.Apply, proposal)
		}
	}
	return out
}

// untried leaves out what was tried already, and remembers what is refused.
func (c *fixer) untried(p doctor.FixPlan) doctor.FixPlan {
	c.other = nil
	c.note(p.Refuse, doctor.Refused, "")
	fresh := doctor.FixPlan{Refuse: p.Refuse}
	for _, proposal := range p.Apply {
		if t := c.attempted(proposal); t == nil || t.Tries < most && t.Reason == changedMeanwhile {
			fresh.Apply = append(fresh.Apply, proposal)
		}
	}
	return fresh
}

func (c *fixer) attempted(p doctor.Proposal) *doctor.FixResult {
	for _, t := range c.done {
		if t.Same(p) {
			return t
		}
	}
	return nil
}

func (c *fixer) note(proposals []doctor.Proposal, outcome doctor.Outcome, why string) {
	for _, p := range proposals {
		reason := why
		if reason == "" {
			reason = p.Why
		}
		c.other = append(c.other, &doctor.FixResult{Check: p.Check, About: p.Finding.About, Fix: p.Fix, Outcome: outcome, Reason: reason})
	}
}

// preview replaces what was predicted by what the server says the objects would become, where it says so.
func (c *fixer) preview(ctx context.Context, proposals []doctor.Proposal) {
	for _, p := range proposals {
		deleted := map[cluster.Ref]bool{}
		for i := range p.Fix.Changes {
			change := &p.Fix.Changes[i]
			ref := change.Ref().Identity()
			switch change.Verb {
			case cluster.Delete:
				deleted[ref] = true
			case cluster.Apply:
				if change.Before == nil && !deleted[ref] {
					change.Before, _ = current(ctx, c.client, change.Ref()) // the write reports what cannot be read
				}
				c.foresee(ctx, change)
			}
		}
	}
}

// foresee makes a patch of an apply to an object that exists.
func (c *fixer) foresee(ctx context.Context, change *cluster.Change) {
	if change.Before == nil {
		return
	}
	after, err := c.client.Do(ctx, *change, cluster.Options{Manager: doctor.Manager, DryRun: true, Force: true})
	if err == nil && after != nil {
		change.After, change.Verb = after, cluster.Patch
	}
}

func (c *fixer) confirm(ctx context.Context, p doctor.FixPlan) ([]doctor.Proposal, error) {
	if c.Confirm == nil {
		return p.Apply, nil
	}
	return c.Confirm(ctx, p)
}

const notConfirmed = "it was not confirmed"

// decline remembers what was not agreed to, so that the next round does not ask again.
func (c *fixer) decline(offered, agreed []doctor.Proposal) {
	for _, p := range offered {
		if !slices.ContainsFunc(agreed, func(a doctor.Proposal) bool { return a.Fix == p.Fix }) {
			c.no = append(c.no, p)
		}
	}
}

// declined reports whether a fix was not agreed to in an earlier round.
func (c *fixer) declined(p doctor.Proposal) bool {
	return slices.ContainsFunc(c.no, func(n doctor.Proposal) bool {
		return n.Check == p.Check && n.Finding.About == p.Finding.About && n.Fix.Title == p.Fix.Title
	})
}

// finish closes the record of the run and puts the outcomes into the report.
func (c *fixer) finish(ctx context.Context, r *doctor.Report, err error) (*doctor.Report, error) {
	if c.run == nil && err == nil && !c.DryRun {
		c.run = c.leftOpen(ctx) // nothing is left to do: what was interrupted is finished by that
	}
	if c.run != nil {
		drop(c.run.Steps)
		if !errors.Is(err, context.Canceled) {
			c.run.Finished = true
		}
		if stored := c.store(context.WithoutCancel(ctx)); stored != nil {
			err = errors.Join(err, stored)
		}
	}
	for _, t := range append(c.done, c.other...) {
		if c.run != nil && t.Outcome != doctor.Refused && t.Outcome != doctor.Planned {
			t.Run = c.run.Name
		}
		r.Fixes = append(r.Fixes, *t)
	}
	return r, err
}

const changedMeanwhile = "another client changed the object in the meantime"

// conflicted reports whether a change came too late.
func conflicted(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

func (c *fixer) say(line string) {
	if c.Progress != nil {
		c.Progress(line)
	}
}
