package apply

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// UnfinishedError is the error of a wait that ended before everything was ready: at the deadline, or because the remaining
// workloads keep crashing (Stuck). Applied objects stay, and the same command resumes.
type UnfinishedError struct {
	Pending []Pending
	Stuck   bool
	cause   error
}

func (u *UnfinishedError) Error() string {
	how := "not everything was ready in time"
	if u.Stuck {
		how = "the remaining objects do not become ready"
	}
	return fmt.Sprintf("%s: %d still pending", how, len(u.Pending)) + ListPending(u.Pending)
}

// ListPending lists objects and what each waits for, one per line.
func ListPending(pending []Pending) (out string) {
	var lines []string
	for _, p := range pending {
		lines = append(lines, fmt.Sprintf("%s: %s", p.Ref, p.Why))
	}
	for _, line := range text.Lines(lines, plan.MaxListed) {
		out += "\n  " + line
	}
	return out
}

// Unwrap returns context.DeadlineExceeded when timed out after.
func (u *UnfinishedError) Unwrap() error { return u.cause }

// fail ends the run because of one object.
func (e *engine) fail(it *item, err error) {
	ctx, cancel := context.WithTimeout(e.watches.ctx, checkTimeout)
	defer cancel()
	view := e.client.View()
	if it.Version == "" {
		if o, err := view.Get(ctx, it.Ref()); err == nil {
			it.Version = o.GetResourceVersion()
		}
	}
	e.failed = e.client.Explain(plan.ExplainRejection(it.Gated, err))
	var failure *problem.Error
	if apierrors.IsForbidden(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) && errors.As(e.failed, &failure) {
		if may, unknown := view.Can(ctx, "patch", it.Ref().GroupKind(), cluster.Scope{Namespace: it.Object.GetNamespace()}); may && unknown == nil {
			failure.Next = "You have this permission: a quota, a policy or a webhook of the cluster rejects the object. Change that, or the object, then run the same command again: it resumes from here"
		}
	}
}

// Pending is an object that is not ready yet.
type Pending struct {
	Ref cluster.Ref `json:"object"`
	Why string      `json:"why"`
}
