package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// trialWithin is how long the server may think about one trial: a webhook that does not answer must not hold up the rest.
const trialWithin = 15 * time.Second

// judge asks the server what it would do with one object.
func judge(ctx context.Context, client *cluster.Client, view cluster.View, g Gated) (Verdict, error) {
	verdict := Verdict{Ref: g.Ref(), Component: g.Stage, Adopts: g.Adopted}
	if g.Unchanged {
		verdict.Action = Unchanged
		return verdict, nil
	}
	before, err := view.Get(ctx, g.Ref())
	switch {
	case meta.IsNoMatchError(err):
		verdict.Action, verdict.Reason = Unknown, "its kind is not on the cluster yet"
		return verdict, nil
	case apierrors.IsNotFound(err):
		before = nil
	case err != nil:
		return verdict, err
	case before.GetDeletionTimestamp() != nil:
		verdict.Action, verdict.Reason = Unknown, "it is being deleted, and made again once it is gone"
		return verdict, nil
	}
	after, err := attempt(ctx, client, g.Object)
	switch {
	case err == nil && before == nil:
		verdict.Action, verdict.Diff = Create, cluster.Diff(nil, after)
	case err == nil:
		verdict.compare(before, after, g)
	case ctx.Err() != nil:
		return verdict, err
	case apierrors.IsNotFound(err) && before == nil:
		verdict.Action, verdict.Reason = Unknown, "its namespace or its kind is not on the cluster yet"
	case cluster.Transient(err) && g.guarded, errors.Is(err, context.DeadlineExceeded):
		verdict.Action, verdict.Reason = Unknown, "a webhook that is asked about it does not answer"
	case apierrors.IsBadRequest(err) && g.guarded && before != nil: // what a server answers for a webhook that takes no trials
		verdict.Action, verdict.Reason = Unknown, "a webhook that is asked about it may not be asked for a trial"
	case apierrors.IsInvalid(err) && before != nil:
		return verdict, verdict.fixed(ctx, client, view, before, g, err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsForbidden(err), apierrors.IsInternalError(err):
		verdict.refuse(stopped(g, err))
	default:
		return verdict, err
	}
	return verdict, nil
}

func attempt(ctx context.Context, client *cluster.Client, o *object) (*object, error) {
	ctx, cancel := context.WithTimeout(ctx, trialWithin)
	defer cancel()
	return client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: Manager, Force: true, DryRun: true})
}

func (v *Verdict) compare(before, after *object, g Gated) {
	v.Action = Unchanged
	v.Diff = cluster.Diff(before, after)
	if len(g.makers) > 0 && !keeper(g.Ref()) {
		v.Drops = dropped(before.GetManagedFields(), after.GetManagedFields())
	}
	if v.Diff != "" || len(v.Drops) > 0 {
		v.Action = Change
	}
}

func (v *Verdict) refuse(err error) {
	v.Action, v.Reason = Rejected, err.Error()
	if !errors.As(err, &v.problem) {
		v.problem = &cluster.Problem{What: err.Error(), Err: err}
	}
}

// fixed decides about an object that the server does not let become what it should be: would the same object under a
// name that is free be taken, then what is there is in the way, and making it anew helps.
func (v *Verdict) fixed(ctx context.Context, client *cluster.Client, view cluster.View, before *object, g Gated, cause error) error {
	trial := settled(g.Object)
	trial.SetName(trialName)
	for _, assigned := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} { // one Service at a time can have them
		if trial.GetKind() == "Service" {
			unstructured.RemoveNestedField(trial.Object, "spec", assigned)
		}
	}
	for _, port := range kube.Items(trial.Object, "spec", "ports") {
		delete(port, "nodePort")
	}
	after, err := attempt(ctx, client, trial)
	if err != nil && !keeper(g.Ref()) {
		v.refuse(stopped(Gated{Object: g.Object}, cause)) // not because of what is there
		return ctx.Err()
	}
	claims, err := claimsBeside(ctx, view, before)
	if err != nil {
		return err
	}
	v.how = remake(before, g.Object, claims)
	why := refusal(cause)
	if v.how.refusal != "" {
		v.Action, v.Reason = Rejected, fmt.Sprintf("%s cannot be changed in place: %s; it is not made anew: %s", g.Ref(), why, v.how.refusal)
		v.problem = &cluster.Problem{What: v.Reason, Err: cause, Next: "Leave these fields as they are on the cluster, or move what it holds by hand: kubectl get " + target(g.Ref()) + " -o yaml"}
		return nil
	}
	after.SetName(before.GetName())
	v.Action, v.Reason, v.Diff = Recreate, fmt.Sprintf("%s (%s)", why, v.how.effect), cluster.Diff(before, after)
	v.problem = &cluster.Problem{Err: cause, What: fmt.Sprintf("%s cannot be changed in place: %s (%s)", g.Ref(), why, v.how.effect)}
	return nil
}

// trialName is a name that nothing has.
const trialName = "kubectl-kubeflow-trial"

// refusal is the server's reason for a refusal.
func refusal(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return reason(status.Status())
	}
	return err.Error()
}
