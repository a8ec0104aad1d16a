package fixes

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A job is a fix of the round with its steps in the record, one per change.
type job struct {
	doctor.Proposal
	steps []*Step
}

// apply makes the fixes of one round. What undoes each is in the cluster before anything changes.
func (c *fixer) apply(ctx context.Context, r *doctor.Report, plan []doctor.Proposal) error {
	at := c.Now()
	for _, p := range plan {
		p.Fix.Stamp(at)
	}
	jobs, err := c.record(ctx, plan)
	if err != nil {
		return err
	}
	workloads, err := c.makeAll(ctx, r, jobs)
	if err != nil {
		return err
	}
	for _, p := range probes(jobs) {
		doctor.Await(ctx, c.client, p, true)
	}
	restarted, err := c.restart(ctx, jobs, at)
	if err != nil {
		return err
	}
	if err := rollOut(ctx, c.client, append(workloads, restarted...), c.Wait, c.say); err != nil {
		return err
	}
	return c.makeLate(ctx, jobs)
}

// makeLate makes the changes that need what was restarted. One that fails leaves the fix as it is.
func (c *fixer) makeLate(ctx context.Context, jobs []job) error {
	for _, j := range jobs {
		if !j.made() {
			continue
		}
		for i := len(j.Fix.Changes) - j.Fix.Late; i < len(j.Fix.Changes); i++ {
			_, failure := c.do(ctx, j.steps[i], j.Fix.Changes[i])
			if err := c.store(context.WithoutCancel(ctx)); err != nil {
				return errors.Join(failure, err)
			}
			if failure != nil {
				c.say(failure.Error())
				drop(j.steps[i:])
			}
		}
	}
	return nil
}

// makeAll makes the changes of every fix but the restarts, and returns the workloads that replace their pods by that.
func (c *fixer) makeAll(ctx context.Context, r *doctor.Report, jobs []job) ([]cluster.Ref, error) {
	var workloads []cluster.Ref
	for _, j := range jobs {
		result := c.attempt(j.Proposal, r)
		c.say(j.Fix.Title)
		changed, failure, err := c.make(ctx, j)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, changed...)
		switch {
		case failure == nil:
			continue
		case ctx.Err() != nil:
			return nil, failure
		case conflicted(failure):
			result.Outcome, result.Reason = doctor.Remains, changedMeanwhile
		default:
			result.Outcome, result.Reason = doctor.Failed, failure.Error()
		}
		drop(j.steps)
	}
	return workloads, nil
}

// attempt starts the result of a fix, or goes on with that of an earlier attempt.
func (c *fixer) attempt(p doctor.Proposal, r *doctor.Report) *doctor.FixResult {
	t := c.attempted(p)
	if t == nil {
		t = &doctor.FixResult{Check: p.Check, About: p.Finding.About, Fix: p.Fix}
		c.done = append(c.done, t)
	}
	t.Tries++
	t.Outcome, t.Reason, t.Before = doctor.Remains, "", doctor.Weight(r.Check(p.Check))
	return t
}

// make makes the changes of a fix but the restarts, until one fails. The error ends the whole run.
func (c *fixer) make(ctx context.Context, j job) (workloads []cluster.Ref, failure, err error) {
	for i, change := range j.Fix.Changes[:len(j.Fix.Changes)-j.Fix.Late] {
		if change.Verb == cluster.Restart {
			continue
		}
		after, failure := c.do(ctx, j.steps[i], change)
		if err := c.store(context.WithoutCancel(ctx)); err != nil {
			return nil, nil, errors.Join(failure, err)
		}
		if failure == nil {
			failure = c.settle(ctx, change, after)
		}
		if failure != nil {
			return workloads, failure, nil
		}
		if rolls(change.Ref()) {
			workloads = append(workloads, change.Ref())
		}
	}
	return workloads, nil, nil
}

// do makes one change and notes in its step what came of it. When only the server's own fields changed since the look, the
// decision still holds and is applied to the newer object.
func (c *fixer) do(ctx context.Context, s *Step, change cluster.Change) (*unstructured.Unstructured, error) {
	for try := 1; ; try++ {
		s.sent = true
		after, err := c.client.Do(ctx, request(change), cluster.Options{Manager: doctor.Manager, Force: true})
		if err == nil {
			return after, s.made(change, after)
		}
		if rejected(err) {
			s.State = StepFailed
		}
		if !apierrors.IsConflict(err) || change.Verb == cluster.Delete || try == most {
			return nil, err
		}
		now, look := c.client.View().Get(ctx, change.Ref())
		if look != nil || cluster.Diff(change.Before, now) != "" {
			return nil, err
		}
		change.Before = now
	}
}

// request returns the change as it is sent: so that the server rejects it when the object is not the one that was looked at.
func request(change cluster.Change) cluster.Change {
	switch {
	case change.Verb != cluster.Apply:
	case change.Before == nil:
		change.Verb = cluster.Create
	default:
		change.After = change.After.DeepCopy()
		change.After.SetResourceVersion(change.Before.GetResourceVersion())
	}
	return change
}

// rejected reports whether the server has refused a request for sure, so that nothing was changed. After a timeout, a fault of
// the server or a broken connection that is not known.
func rejected(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		code := status.Status().Code
		return code >= 400 && code < 500 && !apierrors.IsTimeout(err)
	}
	return meta.IsNoMatchError(err)
}

// settle waits until the server has processed the end or the beginning of a kind of object.
func (c *fixer) settle(ctx context.Context, change cluster.Change, after *unstructured.Unstructured) error {
	ref := change.Ref()
	if ref.Kind != "CustomResourceDefinition" {
		return nil
	}
	defer c.client.Forget()
	if change.Verb == cluster.Delete {
		return doctor.Until(ctx, c.Wait, func() (bool, error) {
			_, err := c.client.View().Get(ctx, ref)
			return apierrors.IsNotFound(err), nil
		})
	}
	c.client.Learn(after)
	return doctor.Until(ctx, c.Wait, func() (bool, error) {
		now, err := c.client.View().Get(ctx, ref)
		if err != nil {
			return false, err
		}
		ready, _ := cluster.Ready(now)
		return ready, nil
	})
}

// probes returns those of the fixes that were made.
func probes(jobs []job) []*doctor.Probe {
	var all []*doctor.Probe
	for _, j := range jobs {
		if j.Fix.Probe != nil && j.made() {
			all = append(all, j.Fix.Probe)
		}
	}
	return all
}

// made reports whether no change of a fix failed.
func (j job) made() bool {
	for _, s := range j.steps[:len(j.steps)-j.Fix.Late] {
		if s.State != StepMade && s.Verb != cluster.Restart {
			return false
		}
	}
	return true
}
