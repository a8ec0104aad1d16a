package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A gate is the component that authenticates requests at the gateway.
type gate string

const (
	open        gate = ""
	authservice gate = "authservice"  // Kubeflow 1.3 to 1.8, and v1.2 with Dex
	oauth2Proxy gate = "oauth2-proxy" // from 1.9 on
)

// signIn returns the gate, from istio-system's EnvoyFilters and
// AuthorizationPolicies.
func signIn(filters, policies []unstructured.Unstructured, gatewayPod map[string]string) gate {
	for _, policy := range policies {
		action, _, _ := unstructured.NestedString(policy.Object, "spec", "action")
		if action == "CUSTOM" && selects(policy, gatewayPod) {
			return oauth2Proxy
		}
	}
	for _, filter := range filters {
		if filter.GetName() == "authn-filter" {
			return authservice
		}
	}
	return open
}

// passes reports whether a request needs no redirect: pages of the login flow itself, and authenticated requests.
func (g gate) passes(r *http.Request) bool {
	if g == open || strings.HasPrefix(r.URL.Path, "/dex/") || strings.HasPrefix(r.URL.Path, "/oauth2/") || r.URL.Path == callbacks[g] {
		return true
	}
	if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		return true
	}
	_, err := r.Cookie(cookies[g])
	return err == nil
}

// page returns the login page for unauthenticated requests.
func (g gate) page(r *http.Request) string {
	if g == oauth2Proxy {
		return "/oauth2/start?" + url.Values{"rd": {r.URL.RequestURI()}}.Encode()
	}
	return "/dex/auth?" + url.Values{
		"client_id": {"kubeflow-oidc-authservice"}, "redirect_uri": {"/login/oidc"},
		"response_type": {"code"}, "state": {r.URL.RequestURI()},
	}.Encode()
}

// refuse redirects to the login page, if the authentication service is ready.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, in gate) {
	namespace := map[gate]string{oauth2Proxy: "oauth2-proxy", authservice: g.pod.Namespace}[in]
	if len(g.cluster.ready(namespace, string(in))) == 0 {
		// Envoy's response if its external authorizer is unreachable.
		w.WriteHeader(http.StatusForbidden)
		return
	}
	redirect(w, in.page(r))
}

// challenge is the path of HTTP-01 challenges.
const challenge = "/.well-known/acme-challenge/"

// excepted reports whether every authenticating policy exempts HTTP-01 challenges.
func excepted(policies []unstructured.Unstructured, path string) bool {
	if !strings.HasPrefix(path, challenge) {
		return false
	}
	for _, policy := range policies {
		action, _, _ := unstructured.NestedString(policy.Object, "spec", "action")
		if (action == "CUSTOM" || action == "DENY") && strings.Contains(string(mustJSON(policy.Object["spec"])), "notPaths") &&
			!strings.Contains(string(mustJSON(policy.Object["spec"])), challenge+"*") {
			return false
		}
	}
	return true
}
