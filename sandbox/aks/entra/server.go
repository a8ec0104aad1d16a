package entra

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// A Server answers for both tenants and for Graph.
type Server struct {
	key       jose.JSONWebKey
	federated func(ctx context.Context) (jose.JSONWebKeySet, error) // the keys of the cluster's ServiceAccount issuer
	mux       *http.ServeMux

	mu     sync.Mutex
	grants map[string]grant // by code, access token or refresh token
	apps   map[string]*app  // by client ID: what was registered through Graph
}

// A grant is a user who signed in to the application.
type grant struct {
	client                                string
	user                                  user
	redirectURI, nonce, challenge, method string
	scopes                                []string
}

// New creates a server. federated returns the keys of the issuer of ServiceAccount tokens.
func New(federated func(ctx context.Context) (jose.JSONWebKeySet, error)) (*Server, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	s := &Server{
		key:       jose.JSONWebKey{Key: key, KeyID: rand.Text(), Algorithm: "RS256", Use: "sig"},
		federated: federated, mux: http.NewServeMux(), grants: map[string]grant{}, apps: map[string]*app{},
	}
	for path, handler := range map[string]http.HandlerFunc{
		"GET /{tenant}/v2.0/.well-known/openid-configuration": s.discovery, "GET /{tenant}/discovery/v2.0/keys": s.keys,
		"/{tenant}/oauth2/v2.0/authorize": s.authorize, "POST /{tenant}/oauth2/v2.0/token": s.token,
		"GET /v1.0/me": s.me, "GET /v1.0/me/memberOf": s.memberOf, "GET /v1.0/me/transitiveMemberOf": s.memberOf,
		"GET /oidc/userinfo": s.userInfo,
		"/v1.0/{object}":     s.object, "/v1.0/applications/{id}": s.application, "/v1.0/applications/{id}/{part}": s.application,
	} {
		s.mux.HandleFunc(path, handler)
	}
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// tenant returns the tenant of a request's path, and whether it exists. common is every tenant.
func tenant(r *http.Request) (string, bool) {
	name := r.PathValue("tenant")
	return name, slices.Contains([]string{Tenant, OtherTenant, "common", "organizations"}, name)
}

func issuer(r *http.Request, tenant string) string {
	return "https://" + r.Host + "/" + tenant + "/v2.0"
}

func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	name, ok := tenant(r)
	if !ok {
		fail(w, http.StatusBadRequest, "invalid_tenant", "AADSTS90002: Tenant '"+name+"' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.")
		return
	}
	of := name
	if name == "common" || name == "organizations" {
		of = "{tenantid}"
	}
	base := "https://" + r.Host + "/" + name
	reply(w, http.StatusOK, map[string]any{
		"issuer": issuer(r, of), "authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token",
		"jwks_uri": base + "/discovery/v2.0/keys", "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
		"response_types_supported": []string{"code", "id_token"}, "scopes_supported": []string{"openid", "profile", "email", "offline_access"},
		"subject_types_supported": []string{"pairwise"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"code_challenge_methods_supported":      []string{"plain", "S256"},
	})
}

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.key.Public()}})
}

var pages = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html><head><title>Sign in to your account</title></head><body>{{with .Error}}<p id="error">{{.}}</p>{{end}}
{{if .Form}}<form method="post" action="{{.Form}}">
<input name="login" type="text"><input name="password" type="password"><button type="submit">Sign in</button>
</form>{{end}}</body></html>
`))

func page(w http.ResponseWriter, status int, form, why string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages.Execute(w, map[string]string{"Form": form, "Error": why})
}

// authorize signs a user in by the form, and returns to the application.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name, ok := tenant(r)
	to, err := url.Parse(query.Get("redirect_uri"))
	switch {
	case !ok:
		page(w, http.StatusBadRequest, "", "AADSTS90002: Tenant '"+name+"' not found.")
		return
	case !s.knows(name, query.Get("client_id")):
		page(w, http.StatusBadRequest, "", "AADSTS700016: Application with identifier '"+query.Get("client_id")+"' was not found in the directory '"+name+"'.")
		return
	case err != nil || !to.IsAbs() || !s.redirects(query.Get("client_id"), query.Get("redirect_uri")):
		page(w, http.StatusBadRequest, "", "AADSTS50011: The redirect URI '"+query.Get("redirect_uri")+"' specified in the request does not match the redirect URIs configured for the application '"+query.Get("client_id")+"'.")
		return
	case r.Method != http.MethodPost:
		page(w, http.StatusOK, r.URL.RequestURI(), "")
		return
	}
	who, ok := users[strings.ToLower(r.PostFormValue("login"))]
	switch {
	case !ok || r.PostFormValue("password") != Password:
		page(w, http.StatusUnauthorized, r.URL.RequestURI(), "Your account or password is incorrect.")
		return
	case name != who.tenant && name != "common" && name != "organizations":
		page(w, http.StatusUnauthorized, r.URL.RequestURI(), "AADSTS50020: User account '"+who.upn+"' from identity provider does not exist in tenant '"+name+"' and cannot access the application.")
		return
	}
	values := to.Query()
	values.Set("state", query.Get("state"))
	values.Set("code", s.put(grant{
		client: query.Get("client_id"), user: who, redirectURI: query.Get("redirect_uri"), nonce: query.Get("nonce"),
		challenge: query.Get("code_challenge"), method: query.Get("code_challenge_method"), scopes: strings.Fields(query.Get("scope")),
	}))
	to.RawQuery = values.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

func (s *Server) put(g grant) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := rand.Text()
	s.grants[name] = g
	return name
}

func (s *Server) get(name string) (grant, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.grants[name]
	return g, ok
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func fail(w http.ResponseWriter, status int, code, why string) {
	reply(w, status, map[string]string{"error": code, "error_description": why})
}
