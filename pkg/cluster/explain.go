package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Explain turns an error of the API or the network into a Problem, with what to do about it.
// An error that already is one, or that has no better words than its own, comes back as it is.
func (c *Client) Explain(err error) error {
	var failure *problem.Error
	var noMatch *meta.NoKindMatchError
	switch {
	case err == nil || errors.As(err, &failure):
		return err
	case apierrors.IsUnauthorized(err):
		return &problem.Error{Err: err, What: "the cluster does not accept these credentials, or no longer", Next: c.signIn()}
	case apierrors.IsForbidden(err):
		return &problem.Error{Err: err, What: err.Error(), Next: c.permission()}
	case errors.As(err, &noMatch):
		return &problem.Error{Err: err, What: fmt.Sprintf("the cluster has no kind %s", noMatch.GroupKind),
			Next: "See what it has with: kubectl api-resources"}
	}
	if unreached := c.unreached(err); unreached != nil {
		return unreached
	}
	return err
}

// unreached explains why no answer came, nil where that is not what happened.
func (c *Client) unreached(err error) error {
	var address *net.OpError
	var binary *exec.Error
	var sent *url.Error
	switch {
	case errors.As(err, &binary):
		return &problem.Error{Err: err, What: fmt.Sprintf("signing in to the cluster needs %q, which is not on the PATH", binary.Name),
			Next: "Install it (for AKS: az aks install-cli), then try again"}
	case c.Unsigned(err):
		if provider := c.Config.ExecProvider; provider != nil && strings.Contains(err.Error(), "not found") {
			return &problem.Error{Err: err, What: "this kubeconfig signs in with " + provider.Command + ", which is not installed", Next: installed(provider.Command)}
		}
		return &problem.Error{Err: err, What: fmt.Sprintf("signing in to the cluster did not work: %s", innermost(err)), Next: c.signIn()}
	case mistrusted(err):
		return &problem.Error{Err: err, What: fmt.Sprintf("the server at %s is not the one that this kubeconfig trusts: %s", c.Server(), innermost(err)),
			Next: "Get the cluster's credentials again (for AKS: az aks get-credentials), or see whether a proxy stands between"}
	case unnamed(err):
		return &problem.Error{Err: err, What: fmt.Sprintf("the name of the cluster's server is not known here: %s", c.Server()), Next: c.whereabouts()}
	case (errors.As(err, &address) || errors.As(err, &sent) && sent.Timeout()) && c.reached.Load():
		return &problem.Error{Err: err, What: "the cluster no longer answers at " + c.Server(),
			Next: "Run the same command again when it does: it resumes where it stopped. Until then this fails: kubectl get --raw /readyz"}
	case errors.As(err, &address), errors.As(err, &sent) && sent.Timeout():
		return &problem.Error{Err: err, What: "the cluster does not answer at " + c.Server(), Next: c.whereabouts()}
	case unanswered(err) && !errors.Is(err, context.Canceled):
		return &problem.Error{Err: err, What: fmt.Sprintf("the connection to the cluster at %s broke off: %s", c.Server(), innermost(err)),
			Next: "Run the same command again: it resumes where it stopped"}
	}
	return nil
}

// permission says how to get one that is missing.
func (c *Client) permission() string {
	next := "Ask the cluster's administrator for this permission, or name another user with --context"
	if strings.Contains(c.Server(), ".azmk8s.io") {
		next += ". Where Azure decides who may (Azure RBAC): az role assignment create --role \"Azure Kubernetes Service RBAC Admin\" --assignee USER --scope CLUSTER-ID"
	}
	return next
}

// installed says how to get a sign-in program.
func installed(program string) string {
	if strings.Contains(program, "kubelogin") {
		return "Get it with: az aks install-cli; or sign in as az does, with: kubelogin convert-kubeconfig -l azurecli"
	}
	return "Install it, and see that it is on the PATH"
}

// signIn says how to get credentials that hold.
func (c *Client) signIn() string {
	const again = "Sign in again, then run the same command again; kubectl auth whoami tells whether it worked"
	if provider := c.Config.ExecProvider; provider != nil {
		if strings.Contains(provider.Command, "kubelogin") {
			return "Sign in again (az login; where kubelogin keeps tokens of its own: kubelogin remove-cache-dir), then run the same command again"
		}
		return fmt.Sprintf("%s. The kubeconfig signs in with %s", again, provider.Command)
	}
	return again + " (for AKS: az login, then az aks get-credentials)"
}

// whereabouts says how a server that does not answer may be reached.
func (c *Client) whereabouts() string {
	const right = "whether the context is the right one: kubectl config current-context"
	switch server := c.Server(); {
	case strings.Contains(server, ".privatelink."):
		return "It is a private cluster, which answers only inside its network: connect to that (VPN, a machine in it), or go through Azure with: az aks command invoke"
	case strings.Contains(server, ".azmk8s.io"):
		return "See whether it runs and lets your address in (az aks show --query \"[powerState.code, apiServerAccessProfile]\"), and " + right
	}
	return "See whether it runs (az aks show) and " + right
}

// innermost returns the first cause of an error: those around it repeat where it happened.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
