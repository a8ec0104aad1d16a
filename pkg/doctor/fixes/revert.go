package fixes

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// revert undoes one step if the object shows that the step was made and is still as the step left it.
func (u *undoer) revert(ctx context.Context, s *Step) (Reversal, string) {
	now, err := current(ctx, u.client, s.About)
	if err != nil {
		return RevertFailed, err.Error()
	}
	shown, reason := u.run.traceOf(s, now)
	if shown != present {
		return s.reversal(shown, now), reason
	}
	switch err := u.write(ctx, s, now); {
	case err == nil:
		return Reverted, ""
	case apierrors.IsAlreadyExists(err):
		return Changed, "it was recreated since"
	case apierrors.IsInvalid(err) && s.Before == nil: // a test of the inverse: it was changed after the look
		return Changed, changedSince
	case apierrors.IsNotFound(err) && s.Before == nil:
		return Gone, ""
	default:
		return RevertFailed, err.Error()
	}
}

// reversal returns what becomes of a step that leaves nothing to revert.
func (s *Step) reversal(shown trace, now *unstructured.Unstructured) Reversal {
	switch {
	case shown == missing:
		return Gone
	case shown == absent && (s.State == StepMade || s.Done):
		return Reverted // by an undo that was interrupted, or by hand
	case shown == absent:
		return Untouched
	case s.Before != nil && now.GetUID() == s.Before.GetUID(): // it is still being deleted
		return RevertFailed
	}
	return Changed
}

// write makes the request that reverts a step.
func (u *undoer) write(ctx context.Context, s *Step, now *unstructured.Unstructured) error {
	switch {
	case s.Before != nil:
		return restore(ctx, u.client, s.Before)
	case s.Created:
		return remove(ctx, u.client, now)
	}
	p, err := decodeInverse(s.Inverse)
	if err != nil {
		return err
	}
	operations, err := p.onlyOf(now.GetUID())
	if err != nil {
		return err
	}
	_, err = u.client.Revert(ctx, s.About, operations, cluster.Options{Manager: doctor.Manager})
	return err
}

// restart makes a workload's pods what they were: it reverts the annotation of the restart, which replaces the pods once more.
// Where a later restart has changed that annotation, it restarts the workload again.
func (u *undoer) restart(ctx context.Context, s *Step) (Reversal, string) {
	outcome, reason := u.revert(ctx, s)
	if outcome != Changed || s.State != StepMade && !s.Done {
		return outcome, reason
	}
	if _, err := restartNow(ctx, u.client, s.About, u.Now()); err != nil {
		return RevertFailed, err.Error()
	}
	return Reverted, ""
}

// current returns the object as it is now, nil when it does not exist.
func current(ctx context.Context, client *cluster.Client, ref cluster.Ref) (*unstructured.Unstructured, error) {
	now, err := client.View().Get(ctx, ref)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	return now, err
}
