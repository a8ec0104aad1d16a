package fixes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// record adds the steps of a round to the run's record, and stores it before anything changes.
func (c *fixer) record(ctx context.Context, plan []doctor.Proposal) ([]job, error) {
	first := c.run == nil
	if first {
		if err := c.begin(ctx); err != nil {
			c.run = nil
			return nil, err
		}
	}
	var jobs []job
	for _, p := range plan {
		steps, err := c.run.plan(p)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, job{p, steps})
	}
	err := c.store(ctx)
	if err != nil && first {
		c.run = nil // nothing was changed, so there is nothing to undo
	}
	return jobs, err
}

// begin starts a run, or resumes one that was interrupted.
func (c *fixer) begin(ctx context.Context) error {
	if err := TakeOver(ctx, c.client, c.say); err != nil {
		return err
	}
	history, err := ReadHistory(ctx, c.client.View())
	if err != nil {
		return fmt.Errorf("reading the records of earlier fixes: %w", err)
	}
	for _, s := range history.Spoiled {
		c.say(s.String())
	}
	runs := history.Runs
	if len(runs) > 0 && runs[0].interrupted() {
		c.run = &runs[0]
		c.say("resuming run " + c.run.Name + ", which was interrupted")
		c.run.resolve(ctx, c.client)
		return nil
	}
	now := c.Now().UTC()
	c.run = &Run{Name: now.Format("20060102-150405"), Started: now.Truncate(time.Second)}
	for slices.ContainsFunc(runs, func(r Run) bool { return r.Name == c.run.Name }) {
		now = now.Add(time.Second)
		c.run.Name = now.Format("20060102-150405")
	}
	return prune(ctx, c.client, runs)
}

// leftOpen returns the run that was interrupted, nil when there is none or it cannot be read.
func (c *fixer) leftOpen(ctx context.Context) *Run {
	runs, err := Runs(ctx, c.client)
	if err != nil || len(runs) == 0 || !runs[0].interrupted() {
		return nil
	}
	runs[0].resolve(ctx, c.client)
	return &runs[0]
}

func (r *Run) interrupted() bool { return !r.Finished && !r.Undone && !r.TakenOver }

// resolve decides about the open steps of an interrupted run by what the objects show. Where that is unclear they stay open.
func (r *Run) resolve(ctx context.Context, client *cluster.Client) {
	for _, s := range r.Steps {
		if s.settled() || s.State == StepMade {
			continue
		}
		s.sent = true
		now, err := current(ctx, client, s.About)
		if err != nil {
			continue
		}
		switch shown, _ := r.traceOf(s, now); {
		case shown == present:
			s.State = StepMade
			if now != nil {
				s.UID = now.GetUID()
			}
		case shown == absent:
			s.State = StepDropped
		}
	}
}

func (c *fixer) store(ctx context.Context) error { return c.run.store(ctx, c.client) }
