package doctor

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// apply makes the fixes of one round. How to take each back is in the cluster before anything changes.
func (c *fixer) apply(ctx context.Context, r *Report, plan []Proposal) error {
	at := c.Now()
	for _, p := range plan {
		p.Fix.stamp(at)
	}
	if err := c.record(ctx, plan); err != nil {
		return err
	}
	var restarts []cluster.Change
	var workloads []cluster.Ref
	var trials []*Probe
	for _, p := range plan {
		t := c.attempt(p, r)
		c.say(p.Fix.Title)
		if err := c.make(ctx, p.Fix, &workloads); err != nil {
			if ctx.Err() != nil {
				return err
			}
			t.Outcome, t.Reason = Failed, err.Error()
			if conflicted(err) {
				t.Outcome, t.Reason = Remains, changedMeanwhile
			}
			continue
		}
		for _, change := range p.Fix.Changes {
			if change.Verb == cluster.Restart {
				restarts = append(restarts, change)
			}
		}
		if p.Fix.Probe != nil {
			trials = append(trials, p.Fix.Probe)
		}
	}
	for _, trial := range trials {
		c.await(ctx, trial, true)
	}
	workloads = append(workloads, c.restart(ctx, restarts, at)...)
	c.run.markDone()
	if err := c.store(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return rollOut(ctx, c.client, workloads, c.Wait, c.say)
}

// attempt starts the account of one fix.
func (c *fixer) attempt(p Proposal, r *Report) *FixResult {
	t := c.attempted(p)
	if t == nil {
		t = &FixResult{Check: p.Check, About: p.Finding.About, Fix: p.Fix}
		c.done = append(c.done, t)
	}
	t.tries++
	t.Outcome, t.Reason, t.before = Remains, "", weight(r.Check(p.Check))
	return t
}

// make does what a fix changes, but for the restarts.
func (c *fixer) make(ctx context.Context, f *Fix, workloads *[]cluster.Ref) error {
	for _, change := range f.Changes {
		if change.Verb == cluster.Restart {
			continue
		}
		if err := c.do(ctx, change); err != nil {
			return err
		}
		if rolls(change.Ref()) {
			*workloads = append(*workloads, change.Ref())
		}
	}
	return nil
}

// do makes one change. When only the server's own fields moved since the look, the decision still holds and is made again on the newer object.
func (c *fixer) do(ctx context.Context, change cluster.Change) error {
	for try := 1; ; try++ {
		after, err := c.client.Do(ctx, change, cluster.Options{Manager: Manager, Force: true})
		if err == nil {
			return c.settle(ctx, change, after)
		}
		if !conflicted(err) || try == most {
			return err
		}
		now, look := c.client.View().Get(ctx, change.Ref())
		if look != nil || cluster.Diff(change.Before, now) != "" {
			return err
		}
		change.Before = now
	}
}

// settle waits until the server has digested the end or the beginning of a kind of object.
func (c *fixer) settle(ctx context.Context, change cluster.Change, after *unstructured.Unstructured) error {
	ref := change.Ref()
	if ref.Kind != "CustomResourceDefinition" {
		return nil
	}
	defer c.client.Forget()
	if change.Verb == cluster.Delete {
		return until(ctx, c.Wait, func() (bool, error) {
			_, err := c.client.View().Get(ctx, ref)
			return apierrors.IsNotFound(err), nil
		})
	}
	c.client.Learn(after)
	return until(ctx, c.Wait, func() (bool, error) {
		now, err := c.client.View().Get(ctx, ref)
		if err != nil {
			return false, err
		}
		ready, _ := cluster.Ready(now)
		return ready, nil
	})
}

// restart makes every workload replace its pods, once, and returns those that do.
func (c *fixer) restart(ctx context.Context, changes []cluster.Change, at time.Time) []cluster.Ref {
	var restarted []cluster.Ref
	seen := map[cluster.Ref]bool{}
	for _, change := range changes {
		ref := change.Ref()
		if seen[ref] {
			continue
		}
		seen[ref] = true
		if err := restartNow(ctx, c.client, ref, at); err != nil {
			if !apierrors.IsNotFound(err) {
				c.say(err.Error())
			}
			continue
		}
		restarted = append(restarted, ref)
	}
	return restarted
}

func restartNow(ctx context.Context, client *cluster.Client, ref cluster.Ref, at time.Time) error {
	for try := 1; ; try++ {
		workload, err := client.View().Get(ctx, ref)
		if err != nil {
			return err
		}
		_, err = client.Do(ctx, restartAt(workload, at.UTC().Format(time.RFC3339)), cluster.Options{Manager: Manager})
		if err == nil || !conflicted(err) || try == 5*most {
			return err
		}
	}
}

// rolls tells whether changing an object replaces pods that are worth waiting for.
func rolls(ref cluster.Ref) bool {
	return ref.Kind == "Deployment" || ref.Kind == "StatefulSet" || ref.Kind == "DaemonSet"
}

// until asks again and again, a little less often each time.
func until(ctx context.Context, wait time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
