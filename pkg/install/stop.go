package install

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	lines := []string{fmt.Sprintf("%s: %d still pending", how, len(u.Pending))}
	for i, p := range u.Pending {
		if i == mentioned {
			lines = append(lines, fmt.Sprintf("  and %d more", len(u.Pending)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("  %s: %s", p.Ref, p.Why))
	}
	return strings.Join(lines, "\n")
}

// mentioned is how many pending objects an error names.
const mentioned = 10

// Unwrap returns context.DeadlineExceeded when the time ran out.
func (u *Unfinished) Unwrap() error { return u.cause }

// permanent tells whether sending an object again cannot help, by the type of the error alone.
// fresh says that the object's kind or namespace has only just come, so that the server may not have heard of it.
func permanent(err error, fresh bool) bool {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), cluster.Transient(err):
		return false
	case apierrors.IsNotFound(err):
		return !fresh
	case apierrors.IsForbidden(err) && apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return true
	}
	return true
}

// stopped explains why an install ends at one object.
func stopped(g Gated, err error) error {
	ref := g.Ref()
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	problem := &cluster.Problem{Err: err, What: fmt.Sprintf("the cluster does not take %s: %s", ref, reason(status.Status()))}
	switch {
	case apierrors.IsInvalid(err) && exists(g):
		problem.What = fmt.Sprintf("%s cannot be changed in place: %s", ref, reason(status.Status()))
		problem.Next = fmt.Sprintf("To make it anew, delete it and run the same command again: kubectl delete %s", target(ref))
	case apierrors.IsForbidden(err) && apierrors.HasStatusCause(err, "NamespaceTerminating"):
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
		text, _, _ := strings.Cut(cause.Message, ": {") // a whole value is not a reason
		if cause.Field != "" {
			text = cause.Field + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}
