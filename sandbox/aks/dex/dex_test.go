package dex

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const (
	hash   = "$2y$12$4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df72"
	config = `
issuer: http://dex.auth.svc.cluster.local:5556/dex
storage: {type: kubernetes, config: {inCluster: true}}
web: {http: 0.0.0.0:5556}
enablePasswordDB: true
staticPasswords: [{email: user@example.com, hashFromEnv: HASH, username: user, userID: "15841185641784"}]
staticClients: [{idEnv: ID, secretEnv: SECRET, name: Kubeflow, redirectURIs: [/oauth2/callback]}]
`
)

var env = map[string]string{"HASH": hash, "ID": "kubeflow", "SECRET": "its"}

// visit follows redirects within dex.
func visit(t *testing.T, s *Server, method, target string, form url.Values) *http.Response {
	t.Helper()
	for range 5 {
		r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		response := w.Result()
		response.Request = r
		if to := response.Header.Get("Location"); strings.HasPrefix(to, "/dex/") {
			method, target, form = http.MethodGet, to, nil
			continue
		}
		return response
	}
	t.Fatalf("%s redirects without end", target)
	return nil
}

func start(t *testing.T, text string) *Server {
	t.Helper()
	s, err := New(t.Context(), []byte(text), env, NewStore(), "auth", http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const begin = "/dex/auth?client_id=kubeflow&redirect_uri=/oauth2/callback&response_type=code&scope=openid+email&state=s"

func TestAUserSignsIn(t *testing.T) {
	s := start(t, config)
	code := func(password string) (*http.Response, string) {
		form := visit(t, s, http.MethodGet, begin, nil)
		response := visit(t, s, http.MethodPost, form.Request.URL.String(), url.Values{"login": {"user@example.com"}, "password": {password}})
		to, _ := url.Parse(response.Header.Get("Location"))
		return response, to.Query().Get("code")
	}
	if response, got := code("wrong"); response.StatusCode != http.StatusUnauthorized || got != "" {
		t.Errorf("a wrong password: %d, code %q", response.StatusCode, got)
	}
	exchange := func(code, secret string) *http.Response {
		return visit(t, s, http.MethodPost, "/dex/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"/oauth2/callback"}, "client_id": {"kubeflow"}, "client_secret": {secret},
		})
	}
	response, got := code("12341234")
	if to := response.Header.Get("Location"); !strings.HasPrefix(to, "/oauth2/callback?code=") || !strings.HasSuffix(to, "&state=s") {
		t.Fatalf("the right password leads to %d %q", response.StatusCode, to)
	}
	if status := exchange(got, "another").StatusCode; status != http.StatusUnauthorized {
		t.Errorf("another client secret: %d", status)
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if err := json.NewDecoder(exchange(got, "its").Body).Decode(&tokens); err != nil || strings.Count(tokens.IDToken, ".") != 2 {
		t.Errorf("the tokens are %+v, %v", tokens, err)
	}
	if status := exchange(got, "its").StatusCode; status != http.StatusBadRequest {
		t.Errorf("the same code again: %d", status)
	}
}

func TestRequestsThatDexRefuses(t *testing.T) {
	s := start(t, config)
	for target, want := range map[string]int{
		strings.Replace(begin, "=kubeflow", "=other", 1):                          http.StatusNotFound,
		strings.Replace(begin, "/oauth2/callback", "https://evil.example.com", 1): http.StatusBadRequest,
		"/dex/auth/local/login?state=none":                                        http.StatusBadRequest,
		"/dex/.well-known/openid-configuration":                                   http.StatusOK,
		"/dex/keys":                                                               http.StatusOK,
	} {
		if got := visit(t, s, http.MethodGet, target, nil).StatusCode; got != want {
			t.Errorf("%s: %d, want %d", target, got, want)
		}
	}
}

func TestConfigurationsThatDexRefuses(t *testing.T) {
	for change, want := range map[[2]string]string{
		{"issuer: http://dex.auth.svc.cluster.local:5556/dex", ""}:     "no issuer specified in config file",
		{"enablePasswordDB: true", ""}:                                 "cannot specify static passwords without enabling password db",
		{"name: Kubeflow, ", ""}:                                       "Name field is required for a client",
		{"idEnv: ID, ", "id: a, idEnv: ID, "}:                          "ID and IDEnv fields are exclusive",
		{"web: ", "connectors: [{type: ldap, id: a, name: A}]\nweb: "}: `unknown connector type "ldap"`,
		{"hashFromEnv: HASH", "hash: plain"}:                           "malformed bcrypt hash",
	} {
		_, err := New(t.Context(), []byte(strings.Replace(config, change[0], change[1], 1)), env, NewStore(), "auth", http.DefaultClient)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", change, err, want)
		}
	}
}

func TestAConnectorGivesTheUsersClaims(t *testing.T) {
	claims := map[string]any{"sub": "1", "name": "A", "preferred_username": "a@example.com", "groups": []any{"g"}}
	for _, c := range []struct {
		name     string
		settings map[string]any
		email    string
		err      string
	}{
		{"without an e-mail nobody signs in", map[string]any{"insecureSkipEmailVerified": true}, "", "missing email claim"},
		{"another claim is the e-mail", map[string]any{"insecureSkipEmailVerified": true, "claimMapping": map[string]any{"email": "preferred_username"}}, "a@example.com", ""},
		{"an e-mail has to be verified", map[string]any{"claimMapping": map[string]any{"email": "preferred_username"}}, "", `missing "email_verified" claim`},
	} {
		who, err := (&oidc{provider: &provider{settings: c.settings}}).from(claims)
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) || c.err == "" && (err != nil || who.email != c.email) {
			t.Errorf("%s: %+v, %v", c.name, who, err)
		}
	}
}
