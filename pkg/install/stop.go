package install

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

type managedFields = metav1.ManagedFieldsEntry

// Unfinished is the error of a wait that ended before everything was ready: the deadline came, or what is left
// keeps crashing (Stuck). What is there stays, and the same command goes on.
type Unfinished struct {
	Pending []Pending
	Stuck   bool
	cause   error
}

func (u *Unfinished) Error() string {
	how := "not everything was ready in time"
	if u.Stuck {
		how = "what is left does not start"
	}
	return fmt.Sprintf("%s: %d still pending", how, len(u.Pending)) + listPending(u.Pending)
}

// listPending names objects and what each waits for, each on a new line.
func listPending(pending []Pending) (out string) {
	var lines []string
	for _, p := range pending {
		lines = append(lines, fmt.Sprintf("%s: %s", p.Ref, p.Why))
	}
	for _, line := range text.Lines(lines, mentioned) {
		out += "\n  " + line
	}
	return out
}

// mentioned is how many pending objects an error names.
const mentioned = 10

// Unwrap returns context.DeadlineExceeded when the time ran out.
func (u *Unfinished) Unwrap() error { return u.cause }

// stop ends the run at one object, with what is known about why.
func (e *engine) stop(it *item, err error) {
	ctx, cancel := context.WithTimeout(e.watches.ctx, lookFor)
	defer cancel()
	view := e.client.View()
	if it.version == "" {
		if o, err := view.Get(ctx, it.Ref()); err == nil {
			it.version = o.GetResourceVersion()
		}
	}
	e.failed = e.client.Explain(stopped(it.Gated, err))
	var problem *cluster.Problem
	if apierrors.IsForbidden(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) && errors.As(e.failed, &problem) {
		if may, unknown := view.Can(ctx, "patch", it.Ref().GroupKind(), cluster.Scope{Namespace: it.Object.GetNamespace()}); may && unknown == nil {
			problem.Next = "You may do this: it is a quota, a policy or a webhook of the cluster that does not let it in. Change that, or the object, then run the same command again: it goes on from here"
		}
	}
}

// innermostOf is an error without where it happened, which whoever shows it knows.
func innermostOf(err error) string {
	for next := err; next != nil; next = errors.Unwrap(next) {
		var status apierrors.APIStatus
		if errors.As(next, &status) {
			return status.Status().Message
		}
		err = next
	}
	return err.Error()
}

// stopped explains why an install ends at one object.
func stopped(g Gated, err error) error {
	ref := g.Ref()
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.IsUnauthorized(err) {
		return err
	}
	problem := &cluster.Problem{Err: err, What: fmt.Sprintf("the cluster does not take %s: %s", ref, reason(status.Status()))}
	switch {
	case apierrors.IsInvalid(err) && exists(g):
		problem.What = fmt.Sprintf("%s cannot be changed in place: %s", ref, reason(status.Status()))
		problem.Next = fmt.Sprintf("To make it anew, delete it and run the same command again: kubectl delete %s", target(ref))
	case apierrors.IsForbidden(err) && apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		problem.Next = fmt.Sprintf("Wait until it is gone (kubectl get namespace %s), then run the same command again", ref.Namespace)
	case apierrors.IsForbidden(err):
		problem.Next = "Ask the cluster's administrator for this permission, or name another user with --context"
	default:
		problem.Next = "Nothing more was sent. Once this is mended, run the same command again: it goes on from here"
	}
	return problem
}

func exists(g Gated) bool { return g.version != "" }

// target is how kubectl names an object.
func target(ref cluster.Ref) string {
	kind := strings.ToLower(ref.Kind)
	if group := ref.GroupKind().Group; group != "" {
		kind += "." + group
	}
	if ref.Namespace == "" {
		return kind + " " + ref.Name
	}
	return fmt.Sprintf("-n %s %s %s", ref.Namespace, kind, ref.Name)
}

// reason names the fields the server complains about; without any, it is the server's own sentence.
func reason(status metav1.Status) string {
	if status.Details == nil || len(status.Details.Causes) == 0 {
		return status.Message
	}
	var parts []string
	for _, cause := range status.Details.Causes {
		text := withoutValue(cause.Message)
		if cause.Field != "" {
			text = cause.Field + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// withoutValue is a server's complaint about a field, less the whole value and the difference that may come with it:
// `Invalid value: {…}: field is immutable` says "field is immutable".
func withoutValue(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	complaint, value, found := strings.Cut(message, ": {")
	if !found {
		return message
	}
	if end := strings.LastIndex(value, "}: "); end >= 0 {
		return value[end+len("}: "):]
	}
	return complaint
}
