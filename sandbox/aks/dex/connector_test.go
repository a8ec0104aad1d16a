package dex

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/entra"
)

// microsoftEntra serves the stand-in for Entra ID.
func microsoftEntra(t *testing.T) *httptest.Server {
	t.Helper()
	handler, err := entra.New(func(context.Context) (jose.JSONWebKeySet, error) { return jose.JSONWebKeySet{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	return server
}

// connected is a dex with a connector to Entra ID besides its own users.
func connected(kind, at, settings string) string {
	return config + fmt.Sprintf("connectors: [{type: %s, id: entra, name: Entra, config: {issuer: %q, apiURL: %q, graphURL: %q, tenant: %s, clientID: %s, clientSecret: %s, redirectURI: %q, %s}}]\n",
		kind, at+"/"+entra.Tenant+"/v2.0", at, at, entra.Tenant, entra.Client, entra.Secret, "https://kubeflow.example.com/dex/callback", settings)
}

// through signs a user in through a connector, and returns the claims of dex's token, or the page that is shown instead.
func through(t *testing.T, s *Server, issuer *httptest.Server, user string) (claims map[string]any, page string) {
	t.Helper()
	chosen := visit(t, s, http.MethodGet, begin+"&connector_id=entra", nil).Header.Get("Location")
	browser := issuer.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := browser.PostForm(chosen, url.Values{"login": {user}, "password": {entra.Password}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	back, err := url.Parse(response.Header.Get("Location"))
	if err != nil || back.Path != "/dex/callback" {
		t.Fatalf("Entra ID answers %s, to %q", response.Status, back)
	}
	end := visit(t, s, http.MethodGet, back.RequestURI(), nil)
	to, _ := url.Parse(end.Header.Get("Location"))
	code := to.Query().Get("code")
	if code == "" {
		text := new(strings.Builder)
		_ = end.Write(text)
		return nil, text.String()
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	answer := visit(t, s, http.MethodPost, "/dex/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"/oauth2/callback"}, "client_id": {"kubeflow"}, "client_secret": {"its"},
	})
	if err := json.NewDecoder(answer.Body).Decode(&tokens); err != nil {
		t.Fatal(err)
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(tokens.IDToken, ".")[1])
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims, ""
}

func TestUsersOfEntraIDSignInThroughDex(t *testing.T) {
	issuer := microsoftEntra(t)
	for _, c := range []struct {
		name, kind, settings, user, want string
	}{
		{"oidc", "oidc", "insecureSkipEmailVerified: true", "alice@contoso.example", "alice@contoso.example"},
		{"oidc, no mail attribute", "oidc", "insecureSkipEmailVerified: true", "bob@contoso.example", "missing email claim"},
		{"oidc, another claim", "oidc", "insecureSkipEmailVerified: true, claimMapping: {email: preferred_username}", "bob@contoso.example", "bob@contoso.example"},
		{"oidc, not verified", "oidc", "scopes: [profile, email]", "alice@contoso.example", "email_verified"},
		{"microsoft", "microsoft", "", "alice@contoso.example", "alice@contoso.example"},
		{"microsoft, no mail attribute", "microsoft", "", "bob@contoso.example", "bob@contoso.example"},
		{"another secret", "microsoft", "clientSecret: other", "alice@contoso.example", "AADSTS7000215"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := connected(c.kind, issuer.URL, c.settings)
			if strings.Contains(c.settings, "clientSecret") {
				text = strings.Replace(text, "clientSecret: "+entra.Secret+", ", "", 1)
			}
			s, err := New(t.Context(), []byte(text), env, NewStore(), "auth", issuer.Client())
			if err != nil {
				t.Fatal(err)
			}
			claims, page := through(t, s, issuer, c.user)
			if claims["email"] != c.want && !strings.Contains(page, c.want) {
				t.Errorf("the e-mail is %v, the page %s; want %q", claims["email"], page, c.want)
			}
		})
	}
}

func TestDexDoesNotStartWithoutTheIssuer(t *testing.T) {
	issuer := microsoftEntra(t)
	for _, text := range []string{
		strings.ReplaceAll(connected("oidc", issuer.URL, "scopes: []"), entra.Tenant+"/v2.0", "unknown/v2.0"),
		connected("oidc", "https://127.0.0.1:1", "scopes: []"),
	} {
		if _, err := New(t.Context(), []byte(text), env, NewStore(), "auth", issuer.Client()); err == nil || !strings.Contains(err.Error(), "Failed to open connector entra") {
			t.Errorf("got %v", err)
		}
	}
}
