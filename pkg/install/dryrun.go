package install

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Verdict is what the server says about one object without keeping it.
type Verdict struct {
	Ref    cluster.Ref `json:"object"`
	Action string      `json:"action"`           // create, change, unchanged, delete, keep, unknown or refused
	Reason string      `json:"reason,omitempty"` // why it is unknown or refused
	Diff   string      `json:"diff,omitempty"`   // values of Secrets are never in it
}

// The actions of a Verdict.
const (
	Create    = "create"
	Change    = "change"
	Unchanged = "unchanged"
	Remove    = "delete"
	Stays     = "keep"
	Unknown   = "unknown" // its namespace or its kind is not there yet, so the server cannot say
	Rejected  = "refused"
)

// DryRun asks the server about every object of a plan that it can say something about, and changes nothing.
func DryRun(ctx context.Context, client *cluster.Client, plan *Plan) ([]Verdict, error) {
	view := client.View()
	verdicts := make([]Verdict, len(plan.Objects))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookers)
	for i, g := range plan.Objects {
		group.Go(func() error {
			verdict, err := judge(ctx, client, view, g)
			mu.Lock()
			defer mu.Unlock()
			verdicts[i] = verdict
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, ref := range plan.Prune {
		verdicts = append(verdicts, Verdict{Ref: ref, Action: Remove})
	}
	for _, ref := range plan.Keep {
		verdicts = append(verdicts, Verdict{Ref: ref, Action: Stays, Reason: "holds data or other people's objects"})
	}
	return verdicts, nil
}

func judge(ctx context.Context, client *cluster.Client, view cluster.View, g Gated) (Verdict, error) {
	verdict := Verdict{Ref: g.Ref()}
	if g.Unchanged {
		verdict.Action = Unchanged
		return verdict, nil
	}
	before, err := view.Get(ctx, g.Ref())
	if meta.IsNoMatchError(err) {
		verdict.Action, verdict.Reason = Unknown, "its kind is not on the cluster yet"
		return verdict, nil
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return verdict, err
	}
	after, err := client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: g.Object}, cluster.Options{Manager: Manager, Force: true, DryRun: true})
	switch {
	case apierrors.IsNotFound(err) && before == nil:
		verdict.Action, verdict.Reason = Unknown, "its namespace or its kind is not on the cluster yet"
	case cluster.Transient(err) && g.guarded:
		verdict.Action, verdict.Reason = Unknown, "a webhook that is asked about it does not answer"
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsForbidden(err), apierrors.IsInternalError(err):
		verdict.Action, verdict.Reason = Rejected, stopped(g, err).Error()
	case err != nil:
		return verdict, err
	case before == nil:
		verdict.Action, verdict.Diff = Create, cluster.Diff(nil, after)
	default:
		verdict.Action = Unchanged
		if verdict.Diff = cluster.Diff(before, after); verdict.Diff != "" {
			verdict.Action = Change
		}
	}
	return verdict, nil
}
