package entra

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const callback = "https://kubeflow.example.com/oauth2/callback"

func serve(t *testing.T) (*Server, jose.JSONWebKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	issuer := jose.JSONWebKey{Key: key, KeyID: "cluster", Algorithm: "RS256"}
	s, err := New(func(context.Context) (jose.JSONWebKeySet, error) {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{issuer.Public()}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, issuer
}

func post(s *Server, target string, form url.Values) *http.Response {
	r := httptest.NewRequest(http.MethodPost, "https://login.microsoftonline.com"+target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// signIn returns the code that a user gets at a tenant, and the response.
func signIn(s *Server, tenant, user string) (string, *http.Response) {
	query := url.Values{"client_id": {Client}, "redirect_uri": {callback}, "scope": {"openid email profile"}, "state": {"s"}}
	response := post(s, "/"+tenant+"/oauth2/v2.0/authorize?"+query.Encode(), url.Values{"login": {user}, "password": {Password}})
	to, _ := url.Parse(response.Header.Get("Location"))
	return to.Query().Get("code"), response
}

func exchange(s *Server, code string, proof url.Values) (claims map[string]any, size int, failure string) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "client_id": {Client}}
	for name, value := range proof {
		form[name] = value
	}
	var answer struct {
		IDToken string `json:"id_token"`
		Failure string `json:"error_description"`
	}
	_ = json.NewDecoder(post(s, "/"+Tenant+"/oauth2/v2.0/token", form).Body).Decode(&answer)
	if parts := strings.Split(answer.IDToken, "."); len(parts) == 3 {
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(text, &claims)
	}
	return claims, len(answer.IDToken), answer.Failure
}

var withSecret = url.Values{"client_secret": {Secret}}

func TestUsersHaveTheClaimsOfTheirKind(t *testing.T) {
	s, _ := serve(t)
	for user, want := range map[string]struct {
		email          any
		smallest, most int
	}{
		"alice@contoso.example": {"alice@contoso.example", 500, 2000},
		"bob@contoso.example":   {nil, 500, 2000},
		"carol@contoso.example": {"carol@contoso.example", 9000, 20000},
		"dave@contoso.example":  {"dave@contoso.example", 500, 2000},
	} {
		code, _ := signIn(s, Tenant, user)
		claims, size, failure := exchange(s, code, withSecret)
		if claims["email"] != want.email || claims["iss"] != "https://login.microsoftonline.com/"+Tenant+"/v2.0" || size < want.smallest || size > want.most {
			t.Errorf("%s: %s, %d bytes, e-mail %v, issuer %v", user, failure, size, claims["email"], claims["iss"])
		}
		if _, elsewhere := claims["_claim_names"]; elsewhere != (user == "dave@contoso.example") {
			t.Errorf("%s: groups elsewhere: %v", user, elsewhere)
		}
	}
}

func TestWhoIsNotOfTheTenantDoesNotSignIn(t *testing.T) {
	s, _ := serve(t)
	if code, response := signIn(s, Tenant, "mallory@fabrikam.example"); code != "" || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d, code %q", response.StatusCode, code)
	}
	if code, _ := signIn(s, "common", "mallory@fabrikam.example"); code == "" {
		t.Error("an application of every tenant refuses a user of another one")
	}
}

func TestTheApplicationProvesWhoItIs(t *testing.T) {
	s, issuer := serve(t)
	assertion := func(subject, audience string, expires time.Time) url.Values {
		text, _ := json.Marshal(map[string]any{"sub": subject, "aud": []string{audience}, "exp": expires.Unix()})
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: issuer}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		token, _ := signed.CompactSerialize()
		return url.Values{"client_assertion": {token}}
	}
	later := time.Now().Add(time.Hour)
	for _, c := range []struct {
		name  string
		proof url.Values
		want  string
	}{
		{"its secret", withSecret, ""},
		{"another secret", url.Values{"client_secret": {"x"}}, "AADSTS7000215"},
		{"nothing", nil, "AADSTS7000218"},
		{"a federated token", assertion(subjects[0], audience, later), ""},
		{"a token of another ServiceAccount", assertion("system:serviceaccount:default:default", audience, later), "AADSTS70021"},
		{"a token for another audience", assertion(subjects[0], "https://kubernetes.default.svc", later), "AADSTS70021"},
		{"an expired token", assertion(subjects[0], audience, time.Now().Add(-time.Hour)), "AADSTS700024"},
		{"no token", url.Values{"client_assertion": {"x"}}, "AADSTS50027"},
	} {
		code, _ := signIn(s, Tenant, "alice@contoso.example")
		if claims, _, failure := exchange(s, code, c.proof); (claims == nil) != (c.want != "") || !strings.Contains(failure, c.want) {
			t.Errorf("%s: %v, %q; want %q", c.name, claims, failure, c.want)
		}
	}
}

// graph makes a request to Graph with a token.
func graph(s *Server, token, method, path string, body any) (int, map[string]any) {
	text, _ := json.Marshal(body)
	r := httptest.NewRequest(method, "https://graph.microsoft.com/v1.0"+path, strings.NewReader(string(text)))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Prefer", "create-if-missing")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var answer map[string]any
	_ = json.NewDecoder(w.Body).Decode(&answer)
	return w.Code, answer
}

func TestAnApplicationIsRegisteredThroughGraph(t *testing.T) {
	s, _ := serve(t)
	const path = "/applications(uniqueName='cluster-1')"
	body := map[string]any{"displayName": "kubeflow", "signInAudience": "AzureADMyOrg", "web": map[string]any{"redirectUris": []string{callback}}}
	for token, want := range map[string]int{"token-of-a-member": http.StatusForbidden, "nothing": http.StatusUnauthorized} {
		if status, _ := graph(s, token, http.MethodPatch, path, body); status != want {
			t.Errorf("%s: %d, want %d", token, status, want)
		}
	}
	status, made := graph(s, AzToken, http.MethodPatch, path, body)
	if status != http.StatusCreated {
		t.Fatal(status, made)
	}
	if status, _ := graph(s, AzToken, http.MethodPatch, path, body); status != http.StatusNoContent {
		t.Errorf("again: %d", status)
	}
	id, client := made["id"].(string), made["appId"].(string)
	for range replication {
		if status, _ := graph(s, AzToken, http.MethodPost, "/applications/"+id+"/addPassword", nil); status != http.StatusNotFound {
			t.Errorf("a new application is known at once: %d", status)
		}
	}
	_, secret := graph(s, AzToken, http.MethodPost, "/applications/"+id+"/addPassword", map[string]any{})
	if s.knows(Tenant, client) {
		t.Error("an application without a service principal is known")
	}
	if status, _ := graph(s, AzToken, http.MethodPatch, "/servicePrincipals(appId='"+client+"')", map[string]any{}); status != http.StatusCreated {
		t.Errorf("service principal: %d", status)
	}
	text, _ := secret["secretText"].(string)
	if !s.knows(Tenant, client) || s.knows(OtherTenant, client) || !s.proves(client, text) || s.proves(client, Secret) || !s.redirects(client, callback) || s.redirects(client, "https://other/oauth2/callback") {
		t.Errorf("%+v", secret)
	}
	if _, shown := graph(s, AzToken, http.MethodGet, path, nil); strings.Contains(fmt.Sprint(shown), text) {
		t.Error("a secret is shown again")
	}
}
