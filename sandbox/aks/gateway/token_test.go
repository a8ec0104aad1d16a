package gateway

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	corev1 "k8s.io/api/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

const (
	provider   = `{extensionProviders: [{name: asked, envoyExtAuthzHttp: {service: oauth2-proxy.oauth2-proxy.svc.cluster.local, port: 80, includeRequestHeadersInCheck: [cookie], headersToUpstreamOnAllow: [authorization], headersToDownstreamOnDeny: [set-cookie]}}]}`
	asks       = `{apiVersion: security.istio.io/v1beta1, kind: AuthorizationPolicy, metadata: {name: asks, namespace: istio-system}, spec: {action: CUSTOM, provider: {name: asked}, selector: {matchLabels: {app: istio-ingressgateway}}, rules: [{when: [{key: "request.headers[authorization]", notValues: ["*"]}], to: [{operation: {notPaths: [/dex/*, /oauth2/*]}}]}]}}`
	requires   = `{apiVersion: security.istio.io/v1beta1, kind: AuthorizationPolicy, metadata: {name: requires, namespace: istio-system}, spec: {action: DENY, selector: {matchLabels: {app: istio-ingressgateway}}, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {notPaths: [/dex/*, /oauth2/*]}}]}]}}`
	validates  = `{apiVersion: security.istio.io/v1beta1, kind: RequestAuthentication, metadata: {name: validates, namespace: istio-system}, spec: {selector: {matchLabels: {app: istio-ingressgateway}}, jwtRules: [{issuer: "http://dex", audiences: [kubeflow], jwks: 'KEYS', forwardOriginalToken: true, outputClaimToHeaders: [{header: kubeflow-userid, claim: email}], fromHeaders: [{name: Authorization, prefix: "Bearer "}]}]}}`
	issuersKey = "of the issuer"
)

// signed returns a token with the claims of a user, changed by these, and the public keys of its issuer.
func signed(t *testing.T, key *rsa.PrivateKey, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": "http://dex", "sub": "1", "aud": "kubeflow", "exp": time.Now().Add(time.Hour).Unix(), "email": "user@example.com"}
	maps.Copy(claims, changes)
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: issuersKey}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestTheGatewayAsksTheProviderAndValidatesTokens(t *testing.T) {
	key, other := newKey(t), newKey(t)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: issuersKey, Algorithm: "RS256"}}})
	if err != nil {
		t.Fatal(err)
	}
	good := signed(t, key, nil)
	signIn := strings.NewReplacer("centraldashboard.kubeflow", "oauth2-proxy.oauth2-proxy", "centraldashboard", "oauth2-proxy", "prefix: /", "prefix: /oauth2/").Replace(dashboard)
	objects := []string{kubeflowGateway, dashboard, signIn, asks, requires, strings.ReplaceAll(validates, "KEYS", string(set))}
	pods := []*corev1.Pod{runs("kubeflow", "centraldashboard"), runs("oauth2-proxy", "oauth2-proxy")}
	for _, c := range []struct {
		name   string
		pods   []*corev1.Pod
		mesh   string
		header map[string]string
		path   string
		status int
		want   string // the user that the dashboard sees, or part of the response
	}{
		{"a session is exchanged for a token", pods, provider, map[string]string{"Cookie": "session=good"}, "/", 200, "user=user@example.com"},
		{"the client does not say who it is", pods, provider, map[string]string{"Cookie": "session=good", "kubeflow-userid": "admin@example.com"}, "/", 200, "user=user@example.com"},
		{"without a session the provider's page is shown", pods, provider, nil, "/", 403, "sign in"},
		{"a redirect of the provider is passed on", pods, provider, map[string]string{"Cookie": "session=old"}, "/", 302, "/oauth2/start"},
		{"pages of the sign-in are open", pods, provider, nil, "/oauth2/start", 200, "user="},
		{"a token is enough", pods, provider, map[string]string{"Authorization": "Bearer " + good}, "/", 200, "user=user@example.com"},
		{"a token of another key is forged", pods, provider, map[string]string{"Authorization": "Bearer " + signed(t, other, nil)}, "/", 401, string(forged)},
		{"an expired token", pods, provider, map[string]string{"Authorization": "Bearer " + signed(t, key, map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()})}, "/", 401, string(expired)},
		{"a clock may differ", pods, provider, map[string]string{"Authorization": "Bearer " + signed(t, key, map[string]any{"exp": time.Now().Add(-30 * time.Second).Unix()})}, "/", 200, "user=user@example.com"},
		{"a token for later", pods, provider, map[string]string{"Authorization": "Bearer " + signed(t, key, map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})}, "/", 401, string(early)},
		{"a token of another issuer", pods, provider, map[string]string{"Authorization": "Bearer " + signed(t, key, map[string]any{"iss": "http://other"})}, "/", 401, string(foreign)},
		{"a token for another audience", pods, provider, map[string]string{"Authorization": "Bearer " + signed(t, key, map[string]any{"aud": []string{"others"}})}, "/", 403, string(forOthers)},
		{"no token at all", pods, provider, map[string]string{"Authorization": "Bearer x"}, "/", 401, string(malformed)},
		{"another kind of authorization is no token", pods, provider, map[string]string{"Authorization": "Basic eA=="}, "/", 403, "RBAC: access denied"},
		{"nobody gets in while the provider is down", pods[:1], provider, map[string]string{"Cookie": "session=good"}, "/", 403, ""},
		{"a provider that Istio does not know denies", pods, strings.Replace(provider, "asked", "another", 1), map[string]string{"Cookie": "session=good"}, "/", 403, "RBAC: access denied"},
		{"a provider may be passed while it is down", pods[:1], strings.Replace(provider, "port: 80", "port: 80, failOpen: true", 1), nil, "/", 403, "RBAC: access denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := cluster(t, c.pods, objects)
			of.Configs = mesh(t, c.mesh)
			of.Real = func(*corev1.Pod) bool { return true }
			of.Program = func(pod *corev1.Pod, _ *corev1.Service) http.Handler {
				if pod.Name == "oauth2-proxy" {
					return http.HandlerFunc(proxied(good))
				}
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = w.Write([]byte("user=" + r.Header.Get("kubeflow-userid")))
				})
			}
			request := httptest.NewRequest(http.MethodGet, c.path, nil)
			for name, value := range c.header {
				request.Header.Set(name, value)
			}
			response := httptest.NewRecorder()
			New(of, runs("istio-system", "istio-ingressgateway")).ServeHTTP(response, request)
			got := response.Body.String() + response.Header().Get("Location")
			if response.Code != c.status || !strings.Contains(got, c.want) {
				t.Errorf("%d %q, want %d with %q", response.Code, got, c.status, c.want)
			}
			if response.Header().Get("X-Secret") != "" {
				t.Error("a header of the provider that is not listed reaches the client")
			}
		})
	}
}

// proxied plays an oauth2-proxy with one session.
func proxied(token string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth2/start" {
			_, _ = w.Write([]byte("user="))
			return
		}
		w.Header().Set("X-Secret", "yes")
		switch cookie := r.Header.Get("Cookie"); {
		case cookie == "session=good":
			w.Header().Set("Authorization", "Bearer "+token)
		case cookie == "session=old":
			http.Redirect(w, r, "/oauth2/start", http.StatusFound)
		default:
			http.Error(w, "sign in", http.StatusForbidden)
		}
	}
}

func mesh(t *testing.T, text string) corelisters.ConfigMapLister {
	t.Helper()
	index := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	config := &corev1.ConfigMap{Data: map[string]string{"mesh": text}}
	config.Namespace, config.Name = "istio-system", "istio"
	if err := index.Add(config); err != nil {
		t.Fatal(err)
	}
	return corelisters.NewConfigMapLister(index)
}
