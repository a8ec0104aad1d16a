package fixes

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
)

// UndoOptions say how to undo a run.
type UndoOptions struct {
	Wait     time.Duration
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
	Title   string      `json:"title"`
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
	RevertFailed Reversal = "failed"    // undoing the run again tries it again
)

// Whole reports whether everything is as it was before the run.
func (u *Undone) Whole() bool {
	return !slices.ContainsFunc(u.Steps, func(s UndoneStep) bool { return s.Outcome != Reverted && s.Outcome != Untouched })
}

// Undo reverts what a run changed: objects first, the last change first; then it waits until the webhooks are in effect; then
// it restarts what was restarted, so that its pods are what they were. Only what the run wrote and no other client changed since is
// reverted; the rest is left alone and named. Undo may be interrupted and called again. It holds the cluster's Lease.
func Undo(ctx context.Context, client *cluster.Client, run Run, o UndoOptions) (*Undone, error) {
	held, release, err := lock.Acquire(ctx, client, "undoing fixes of Kubeflow", func(e lock.Event) { o.say(e.String()) })
	if err != nil {
		return nil, err
	}
	defer release()
	undone, err := undo(held, client, run, o)
	return undone, cmp.Or(lock.Lost(held), err)
}

func undo(ctx context.Context, client *cluster.Client, run Run, o UndoOptions) (*Undone, error) {
	u := &undoer{client: client, run: run.clone(), UndoOptions: o}
	u.result = &Undone{APIVersion: "kubeflow.doctor/v1alpha1", Kind: "Undo", Run: run.Name, Steps: []UndoneStep{}}
	if err := u.objects(ctx); err != nil {
		return u.result, err
	}
	for _, p := range u.probes {
		doctor.Await(ctx, client, &p, false)
	}
	workloads, err := u.restarts(ctx)
	if err != nil {
		return u.result, err
	}
	if err := rollOut(ctx, client, workloads, o.Wait, o.say); err != nil {
		return u.result, err
	}
	if ctx.Err() != nil {
		return u.result, ctx.Err()
	}
	u.run.Finished = true
	u.run.Undone = !slices.ContainsFunc(u.result.Steps, func(s UndoneStep) bool { return s.Outcome == RevertFailed })
	return u.result, u.run.store(ctx, client)
}

// An undoer undoes one run.
type undoer struct {
	UndoOptions
	client *cluster.Client
	run    *Run
	result *Undone
	probes []doctor.Probe // of the webhooks that were reverted
}

// objects reverts everything but the restarts.
func (u *undoer) objects(ctx context.Context) error {
	for _, s := range slices.Backward(u.run.Steps) {
		if s.Verb == cluster.Restart {
			continue
		}
		if !s.settled() {
			u.say("reverting " + s.About.String())
		}
		outcome, err := u.undo(ctx, s, u.revert)
		if err != nil {
			return err
		}
		if outcome == Reverted && s.Probe != nil && !slices.Contains(u.probes, *s.Probe) {
			u.probes = append(u.probes, *s.Probe)
		}
	}
	return nil
}

// restarts undoes the restarts, and returns the workloads that replace their pods.
func (u *undoer) restarts(ctx context.Context) ([]cluster.Ref, error) {
	var workloads []cluster.Ref
	for _, s := range slices.Backward(u.run.Steps) {
		if s.Verb != cluster.Restart {
			continue
		}
		outcome, err := u.undo(ctx, s, u.restart)
		if err != nil {
			return nil, err
		}
		if outcome == Reverted && !slices.Contains(workloads, s.About) {
			workloads = append(workloads, s.About)
		}
	}
	return workloads, nil
}

// undo undoes one step, and stores that before the next one. The error is a fault that ends the whole undo.
func (u *undoer) undo(ctx context.Context, s *Step, revert func(context.Context, *Step) (Reversal, string)) (Reversal, error) {
	var outcome Reversal
	var reason string
	switch s.State {
	case StepFailed, StepDropped:
		outcome = Untouched
	case StepReverted:
		outcome = Reverted
	default:
		outcome, reason = revert(ctx, s)
	}
	u.result.Steps = append(u.result.Steps, UndoneStep{About: s.About, Title: s.Title, Outcome: outcome, Reason: reason})
	if ctx.Err() != nil {
		return outcome, ctx.Err()
	}
	if outcome != Reverted || s.State == StepReverted {
		return outcome, nil
	}
	s.State = StepReverted
	return outcome, u.run.store(context.WithoutCancel(ctx), u.client)
}

func (o UndoOptions) say(line string) {
	if o.Progress != nil {
		o.Progress(line)
	}
}
