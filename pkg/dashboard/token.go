package dashboard

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// signInPaths are the paths that have to stay open so that users can sign in. They serve nothing of the dashboard.
var signInPaths = []string{"/dex/*", "/dex/**", "/oauth2/*", "/oauth2/**", "/authservice/*", "/.well-known/acme-challenge/*"}

// byToken decides about a DENY policy. It authenticates requests if it refuses those without a request principal
// (notRequestPrincipals), which only a RequestAuthentication gives to a valid token. Without one the policy refuses every
// request, and is likely to be weakened later, so it proves nothing. Nor do peers' certificates
// (notPrincipals): they identify workloads, not users. The zero value means that the policy is about something else.
func (g Gateway) byToken(ctx context.Context, view cluster.View, policy *unstructured.Unstructured) Authentication {
	covering := false
	for _, rule := range kube.Items(policy.Object, "spec", "rules") {
		requests, peers := refuses(rule)
		switch {
		case requests && !narrowed(rule):
			covering = true
		case requests:
			return unproven(fmt.Sprintf("%s refuses requests without a token for some paths, hosts or conditions only", cluster.RefOf(policy)))
		case peers:
			return unproven(fmt.Sprintf("%s checks the certificates of workloads (notPrincipals), which no user has", cluster.RefOf(policy)))
		}
	}
	if !covering {
		return Authentication{}
	}
	issuers, err := g.InFront(ctx, view, RequestAuthenticationKind)
	switch {
	case err != nil:
		return unread(err)
	case !slices.ContainsFunc(issuers, func(o *unstructured.Unstructured) bool { return len(kube.Items(o.Object, "spec", "jwtRules")) > 0 }):
		return unproven(fmt.Sprintf("%s refuses requests without a valid token, and no RequestAuthentication at the gateway validates any", cluster.RefOf(policy)))
	}
	return Authentication{By: "token", Proven: true, Reason: fmt.Sprintf("%s refuses every request without a valid token", cluster.RefOf(policy))}
}

// refuses reports whether a rule of a DENY policy is for requests without a principal of a token, or of a certificate.
// A source with a further condition refuses fewer, and does not count.
func refuses(rule map[string]any) (requests, peers bool) {
	for _, from := range kube.Items(rule, "from") {
		source := kube.Map(from, "source")
		requests = requests || len(kube.Texts(source, "notRequestPrincipals")) > 0 && len(source) == 1
		peers = peers || len(kube.Texts(source, "notPrincipals")) > 0
	}
	return requests, peers
}

// narrowed reports whether a rule leaves requests to the dashboard out.
func narrowed(rule map[string]any) bool {
	if len(kube.Items(rule, "when")) > 0 {
		return true
	}
	to := kube.Items(rule, "to")
	return len(to) > 0 && !slices.ContainsFunc(to, func(entry map[string]any) bool {
		operation := kube.Map(entry, "operation")
		paths := kube.Texts(operation, "notPaths")
		return len(operation) == 1 && len(paths) > 0 && !slices.ContainsFunc(paths, func(p string) bool { return !slices.Contains(signInPaths, p) })
	})
}
