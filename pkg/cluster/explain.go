package cluster

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
)

// Explain turns an error of the API or the network into a Problem, with what to do about it.
// An error that already is one, or that has no better words than its own, comes back as it is.
func (c *Client) Explain(err error) error {
	var problem *Problem
	var address *net.OpError
	var binary *exec.Error
	var noMatch *meta.NoKindMatchError
	switch {
	case err == nil || errors.As(err, &problem):
		return err
	case errors.As(err, &binary):
		return &Problem{Err: err, What: fmt.Sprintf("signing in to the cluster needs %q, which is not on the PATH", binary.Name),
			Next: "Install it (for AKS: az aks install-cli), then try again"}
	case apierrors.IsUnauthorized(err):
		return &Problem{Err: err, What: "the cluster does not accept these credentials",
			Next: "Sign in again (for AKS: az login; az aks get-credentials …), then check with: kubectl auth whoami"}
	case apierrors.IsForbidden(err):
		return &Problem{Err: err, What: err.Error(), Next: "Ask the cluster's administrator for this permission, or name another user with --context"}
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &address):
		return &Problem{Err: err, What: "the cluster does not answer at " + c.Server(),
			Next: "See whether it runs (az aks show) and whether the context is the right one: kubectl config current-context"}
	case errors.As(err, &noMatch):
		return &Problem{Err: err, What: fmt.Sprintf("the cluster has no kind %s", noMatch.GroupKind),
			Next: "See what it has with: kubectl api-resources"}
	}
	return err
}
