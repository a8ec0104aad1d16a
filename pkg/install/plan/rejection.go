package plan

import (
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// MaxListed is how many objects an error lists.
const MaxListed = 10

// InnermostMessage returns an error's message without the context that wraps it.
func InnermostMessage(err error) string {
	for next := err; next != nil; next = errors.Unwrap(next) {
		var status apierrors.APIStatus
		if errors.As(next, &status) {
			return status.Status().Message
		}
		err = next
	}
	return err.Error()
}

// ExplainRejection turns the API server's rejection of an object into a problem with advice.
func ExplainRejection(g Gated, err error) error {
	ref := g.Ref()
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.IsUnauthorized(err) {
		return err
	}
	failure := &problem.Error{Err: err, What: fmt.Sprintf("the API server rejected %s: %s", ref, RejectionReason(status.Status()))}
	switch {
	case byPolicy(status.Status().Message):
		failure.Next = "A policy of the cluster denies it: exclude the object or its namespace from the policy, or ask whoever manages it"
	case apierrors.IsInvalid(err) && existed(g):
		failure.What = fmt.Sprintf("%s cannot be changed in place: %s", ref, RejectionReason(status.Status()))
		failure.Next = fmt.Sprintf("To recreate it, delete it and run the same command again: kubectl delete %s", KubectlArgs(ref))
	case apierrors.IsForbidden(err) && apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		failure.Next = fmt.Sprintf("Wait until it is deleted (kubectl get namespace %s), then run the same command again", ref.Namespace)
	case apierrors.IsForbidden(err):
		failure.Next = "Ask the cluster's administrator for this permission, or name another user with --context"
	default:
		failure.Next = "Nothing more was applied. Fix this, then run the same command again: it resumes from here"
	}
	return failure
}

// byPolicy reports whether a policy or a validating webhook denied an object, whatever reason it gave.
func byPolicy(message string) bool {
	return strings.Contains(message, "ValidatingAdmissionPolicy '") || strings.Contains(message, "admission webhook \"") && strings.Contains(message, "denied the request")
}

func existed(g Gated) bool { return g.Version != "" }

// KubectlArgs returns the arguments that name an object for kubectl.
func KubectlArgs(ref cluster.Ref) string {
	kind := strings.ToLower(ref.Kind)
	if group := ref.GroupKind().Group; group != "" {
		kind += "." + group
	}
	if ref.Namespace == "" {
		return escape.Words(kind, ref.Name)
	}
	return escape.Words("-n", ref.Namespace, kind, ref.Name)
}

// RejectionReason lists the fields that the server rejects; without any it is the server's message.
func RejectionReason(status metav1.Status) string {
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

// withoutValue returns a server's message about a field without the value and diff that it may contain:
// `Invalid value: {…}: field is immutable` becomes "field is immutable".
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
