package gateway

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// authenticate decides about a request as the filters of Istio's gateway do, in their order: the providers of CUSTOM policies are
// asked, the token is validated, and DENY and ALLOW policies are applied. While the programs of sign-in are only simulated, so is
// their part. It returns false after it has responded.
func (g *Gateway) authenticate(w http.ResponseWriter, r *http.Request, system string) bool {
	ctx := r.Context()
	policies := g.cluster.list(ctx, authorizationPolicies, system)
	custom, providers, real := g.custom(policies)
	if real {
		if !g.asks(w, request{Request: r}, custom, providers) {
			return false
		}
	} else if !g.simulate(w, r, policies) {
		return false
	}
	rules := g.jwtRules(g.cluster.list(ctx, requestAuthentications, system))
	if !real && r.Header.Get("Authorization") == "" {
		return true
	}
	claims, ok := g.validate(w, r, rules)
	if ok && real && !authorize(policies, g.pod, request{Request: r, claims: claims}) {
		http.Error(w, "RBAC: access denied", http.StatusForbidden)
		return false
	}
	return ok
}

// simulate decides about a request as authservice, or an oauth2-proxy that the sandbox does not run, would.
func (g *Gateway) simulate(w http.ResponseWriter, r *http.Request, policies []unstructured.Unstructured) bool {
	in := signIn(g.cluster.list(r.Context(), envoyFilters, g.pod.Namespace), policies, g.pod.Labels)
	if !in.passes(r) {
		g.refuse(w, r, in)
		return false
	}
	if in == oauth2Proxy && strings.HasPrefix(r.URL.Path, "/oauth2/start") {
		back := url.Values{"redirect_uri": {callbacks[in]}, "state": {r.URL.Query().Get("rd")}}
		redirect(w, "/dex/auth?client_id=kubeflow-oidc-authservice&response_type=code&"+back.Encode())
		return false
	}
	if in != open && g.cluster.Sessions != nil && r.URL.Path == callbacks[in] {
		g.finish(w, r, in)
		return false
	}
	if user := g.identity(r, in); user != "" { // never as the client says
		r.Header.Set("kubeflow-userid", user)
	} else if in != open {
		r.Header.Del("kubeflow-userid")
	}
	return true
}

// simulatesDex reports whether dex's page is simulated, which it is where oauth2-proxy is, and for authservice.
func (g *Gateway) simulatesDex(ctx context.Context) bool {
	_, _, real := g.custom(g.cluster.list(ctx, authorizationPolicies, g.pod.Namespace))
	return !real
}
