package fixes

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
)

// UndoOptions say how to undo a run.
type UndoOptions struct {
	Wait     time.Duration
	Confirm  func(context.Context, []Intent) (bool, error) // nil does not ask
	Progress func(line string)
	Now      func() time.Time
}

// An Undone says what became of the changes of a run: the document that doctor --undo -o json prints.
type Undone struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Run        string       `json:"run"`
	Steps      []UndoneStep `json:"steps"`
}

// An UndoneStep is one change and whether it was reverted.
type UndoneStep struct {
	About   cluster.Ref `json:"about"`
	Check   string      `json:"check"`
	Outcome Reversal    `json:"outcome"`
	Reason  string      `json:"reason,omitempty"`
}

// A Reversal says whether a change was reverted.
type Reversal string

// What can become of a change that is to be reverted.
const (
	Reverted     Reversal = "reverted"
	Untouched    Reversal = "untouched" // the run did not make this change
	Changed      Reversal = "changed"   // another client changed the object since: it was left as it is
	Gone         Reversal = "gone"      // the object does not exist any more
	Kept         Reversal = "kept"      // an undo does not make this change, whatever the record says
	RevertFailed Reversal = "failed"    // undoing the run again tries it again
)

// Whole reports whether everything is as it was before the run.
func (u *Undone) Whole() bool {
	return !slices.ContainsFunc(u.Steps, func(s UndoneStep) bool { return s.Outcome != Reverted && s.Outcome != Untouched })
}

// Undo reverts what a run changed: objects first, the last change first; then it waits until the webhooks are in effect; then
// it restarts what was restarted, so that its pods are what they were. Only what the run wrote and no other client changed since is
// reverted, and only by changes that undo a fix of the check that the record names; the rest is left alone and named. What
// Confirm is shown is what is done, holding the cluster's Lease. Undo may be interrupted and called again. The result is nil if
// it was not confirmed, or nothing was begun.
func Undo(ctx context.Context, client *cluster.Client, checks []*doctor.Check, run Run, o UndoOptions) (*Undone, error) {
	u := &undoer{client: client, checks: checks, run: run.clone(), at: o.Now(), isProfile: profileNamespaces(ctx, client), UndoOptions: o}
	if err := u.plan(ctx); err != nil {
		return nil, err
	}
	if o.Confirm != nil {
		if yes, err := o.Confirm(ctx, u.intents); err != nil || !yes {
			return nil, err
		}
	}
	held, release, err := lock.Acquire(ctx, client, "undoing fixes of Kubeflow", func(e lock.Event) { o.say(e.String()) })
	if err != nil {
		return nil, err
	}
	defer release()
	u.result = &Undone{APIVersion: "kubeflow.doctor/v1alpha1", Kind: "Undo", Run: run.Name, Steps: []UndoneStep{}}
	err = u.undo(held)
	return u.result, cmp.Or(lock.Lost(held), err)
}

// undo carries out what was decided, and records how far it came.
func (u *undoer) undo(ctx context.Context) error {
	workloads, err := u.revertAll(ctx)
	if err != nil {
		return err
	}
	if err := rollOut(ctx, u.client, workloads, u.Wait, u.say); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	u.run.Finished = true
	u.run.Undone = !slices.ContainsFunc(u.result.Steps, func(s UndoneStep) bool { return s.Outcome == RevertFailed })
	return u.run.store(ctx, u.client)
}

// An undoer undoes one run.
type undoer struct {
	UndoOptions
	client    *cluster.Client
	checks    []*doctor.Check
	run       *Run
	at        time.Time
	isProfile func(string) bool
	steps     []*Step  // in the order in which they are undone
	intents   []Intent // what was decided about each
	result    *Undone
	probes    []doctor.Probe // of the webhooks that were reverted
}

// plan decides what to do about every step, and changes nothing.
func (u *undoer) plan(ctx context.Context) error {
	for _, restarts := range []bool{false, true} {
		for _, s := range slices.Backward(u.run.Steps) {
			if (s.Verb == cluster.Restart) == restarts {
				u.steps = append(u.steps, s)
			}
		}
	}
	deleted := map[cluster.Ref]bool{}
	for _, s := range u.steps {
		now, err := u.look(ctx, s)
		if err != nil {
			u.intents = append(u.intents, Intent{About: s.About, Check: s.Check, Outcome: RevertFailed, Reason: err.Error()})
			continue
		}
		if deleted[s.About.Identity()] { // an object that the run replaced: the new one goes first
			now = nil
		}
		i := u.decide(s, now)
		if i.Change != nil && i.Change.Verb == cluster.Delete {
			deleted[s.About.Identity()] = true
		}
		u.intents = append(u.intents, i)
	}
	return ctx.Err()
}

// look reads the object of a step, unless nothing will be done about it.
func (u *undoer) look(ctx context.Context, s *Step) (*unstructured.Unstructured, error) {
	if s.settled() || u.forbids(s.About) != "" {
		return nil, nil
	}
	return current(ctx, u.client, s.About)
}

// revertAll makes the changes, and returns the workloads that replace their pods.
func (u *undoer) revertAll(ctx context.Context) ([]cluster.Ref, error) {
	var workloads []cluster.Ref
	waited := false
	for at, s := range u.steps {
		if s.Verb == cluster.Restart && !waited {
			waited = true
			u.await(ctx)
		}
		planned := u.intents[at]
		if planned.Change != nil {
			u.say("reverting " + s.About.String())
		}
		outcome, reason := planned.Outcome, planned.Reason
		if planned.Change != nil {
			outcome, reason = u.make(ctx, s, planned)
		}
		u.result.Steps = append(u.result.Steps, UndoneStep{About: s.About, Check: s.Check, Outcome: outcome, Reason: reason})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if outcome != Reverted || s.State == StepReverted {
			continue
		}
		s.State = StepReverted
		if err := u.run.store(context.WithoutCancel(ctx), u.client); err != nil {
			return nil, err
		}
		switch {
		case s.Verb == cluster.Restart && !slices.Contains(workloads, s.About):
			workloads = append(workloads, s.About)
		case s.Probe != nil && planned.Change != nil && !slices.Contains(u.probes, *s.Probe):
			u.probes = append(u.probes, *s.Probe)
		}
	}
	u.await(ctx)
	return workloads, nil
}

// mostProbes limits how long an undo waits for webhooks, whatever the record says.
const mostProbes = 3

// await waits until the API server honours the webhooks that were reverted.
func (u *undoer) await(ctx context.Context) {
	for _, p := range u.probes[:min(len(u.probes), mostProbes)] {
		doctor.Await(ctx, u.client, &p, false)
	}
	u.probes = nil
}

// make makes the change that was confirmed, if it is still the one that undoes the step.
func (u *undoer) make(ctx context.Context, s *Step, planned Intent) (Reversal, string) {
	for try := 1; ; try++ {
		now, err := current(ctx, u.client, s.About)
		if err != nil {
			return RevertFailed, err.Error()
		}
		i := u.decide(s, now)
		switch {
		case i.Change == nil:
			return i.Outcome, i.Reason
		case !sameEffect(*planned.Change, *i.Change):
			return Changed, changedSince
		}
		err = write(ctx, u.client, *i.Change)
		switch {
		case err == nil:
			return Reverted, ""
		case apierrors.IsConflict(err) && try < 5*most: // look again: the change may still be right
		case apierrors.IsAlreadyExists(err):
			return Changed, "it was recreated since"
		case apierrors.IsNotFound(err) && i.Change.Verb != cluster.Create:
			return Gone, ""
		default:
			return RevertFailed, err.Error()
		}
	}
}

// sameEffect reports whether two changes do the same to the same object.
func sameEffect(a, b cluster.Change) bool {
	return a.Verb == b.Verb && a.Ref() == b.Ref() && (a.Verb == cluster.Create || a.Before.GetUID() == b.Before.GetUID()) &&
		(a.Verb == cluster.Delete || reflect.DeepEqual(cluster.ChangedFields(a.Before, a.After), cluster.ChangedFields(b.Before, b.After)))
}

func (o UndoOptions) say(line string) {
	if o.Progress != nil {
		o.Progress(line)
	}
}
