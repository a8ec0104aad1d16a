package doctor

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// UndoOptions say how to put things back.
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

// An UndoneStep is one change and whether it was put back.
type UndoneStep struct {
	About   cluster.Ref `json:"about"`
	Title   string      `json:"title"`
	Outcome Reversal    `json:"outcome"`
	Reason  string      `json:"reason,omitempty"`
}

// A Reversal says whether a change was put back.
type Reversal string

// What can become of a change that is to be put back.
const (
	Reverted   Reversal = "reverted"
	Untouched Reversal = "untouched" // the run was interrupted before it made this change
	Changed   Reversal = "changed"   // somebody changed it since: it was left as it is
	Gone      Reversal = "gone"      // the object is not there any more
	RevertFailed   Reversal = "failed"
)

// Whole tells whether everything is as it was before the run.
func (u *Undone) Whole() bool {
	return !slices.ContainsFunc(u.Steps, func(s UndoneStep) bool { return s.Outcome != Reverted && s.Outcome != Untouched })
}

// Undo puts back what a run changed: objects first, the last change first; then the webhooks' effect is awaited; then what
// was restarted is restarted again, so that its pods are what they were. What somebody else changed since is left alone and named.
func Undo(ctx context.Context, client *cluster.Client, run Run, o UndoOptions) (*Undone, error) {
	u := &Undone{APIVersion: "kubeflow.doctor/v1alpha1", Kind: "Undo", Run: run.Name, Steps: []UndoneStep{}}
	var trials []Probe
	var restarts []Step
	for _, s := range slices.Backward(run.Steps) {
		if s.Verb == cluster.Restart {
			restarts = append(restarts, s)
			continue
		}
		o.say("putting back " + s.About.String())
		u.add(s, reverse(ctx, client, s))
		if s.Probe != nil && !slices.Contains(trials, *s.Probe) {
			trials = append(trials, *s.Probe)
		}
	}
	for _, t := range trials {
		await(ctx, client, &t, false)
	}
	var workloads []cluster.Ref
	for _, s := range restarts {
		err := restartBack(ctx, client, s, o.Now())
		u.add(s, err)
		if err == nil {
			workloads = append(workloads, s.About)
		}
	}
	if err := rollOut(ctx, client, workloads, o.Wait, o.say); err != nil {
		return u, err
	}
	if ctx.Err() != nil {
		return u, ctx.Err()
	}
	run.Undone, run.Finished = true, true
	return u, run.store(ctx, client)
}

func (u *Undone) add(s Step, err error) {
	step := UndoneStep{About: s.About, Title: s.Title, Outcome: Reverted}
	switch {
	case err == nil:
	case apierrors.IsNotFound(err):
		step.Outcome = Gone
	case apierrors.IsInvalid(err) && !s.Done:
		step.Outcome = Untouched
	case apierrors.IsInvalid(err):
		step.Outcome, step.Reason = Changed, "somebody changed it since"
	default:
		step.Outcome, step.Reason = RevertFailed, err.Error()
	}
	u.Steps = append(u.Steps, step)
}

// reverse takes one change back.
func reverse(ctx context.Context, client *cluster.Client, s Step) error {
	switch {
	case s.Before != nil:
		return recreate(ctx, client, s.Before)
	case s.Created:
		return remove(ctx, client, s.About)
	case string(s.Inverse) == "null" || len(s.Inverse) == 0:
		return nil
	}
	_, err := client.Revert(ctx, s.About, s.Inverse, cluster.Options{Manager: Manager})
	return err
}

// restartBack makes a workload's pods what they were: it takes the mark of our restart away, which rolls the pods
// once more. Where that mark is another's by now, it restarts the workload anew.
func restartBack(ctx context.Context, client *cluster.Client, s Step, at time.Time) error {
	_, err := client.Revert(ctx, s.About, s.Inverse, cluster.Options{Manager: Manager})
	if apierrors.IsInvalid(err) && s.Done {
		return restartNow(ctx, client, s.About, at)
	}
	return err
}

func (o UndoOptions) say(line string) {
	if o.Progress != nil {
		o.Progress(line)
	}
}
