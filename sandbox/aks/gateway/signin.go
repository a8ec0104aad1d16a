package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A gate is who asks for a sign-in before the gateway passes a request on.
type gate string

const (
	open        gate = ""
	authservice gate = "authservice"  // Kubeflow 1.3 to 1.8, and v1.2 with Dex
	oauth2Proxy gate = "oauth2-proxy" // from 1.9 on
)

// signIn reads the gate from istio-system's EnvoyFilters and
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

// passes: the sign-in's own pages, and whoever has signed in already.
func (g gate) passes(r *http.Request) bool {
	if g == open || strings.HasPrefix(r.URL.Path, "/dex/") || strings.HasPrefix(r.URL.Path, "/oauth2/") {
		return true
	}
	if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		return true
	}
	cookie := map[gate]string{authservice: "authservice_session", oauth2Proxy: "oauth2_proxy_kubeflow"}[g]
	_, err := r.Cookie(cookie)
	return err == nil
}

// page is where someone who has not signed in is sent.
func (g gate) page(r *http.Request) string {
	if g == oauth2Proxy {
		return "/oauth2/start?" + url.Values{"rd": {r.URL.RequestURI()}}.Encode()
	}
	return "/dex/auth?" + url.Values{
		"client_id": {"kubeflow-oidc-authservice"}, "redirect_uri": {"/login/oidc"},
		"response_type": {"code"}, "state": {r.URL.RequestURI()},
	}.Encode()
}

// challenge is where certificate authorities ask.
const challenge = "/.well-known/acme-challenge/"

// excepted says whether every policy that asks about visitors lets the question of a certificate authority pass.
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
