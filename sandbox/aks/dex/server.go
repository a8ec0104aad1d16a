package dex

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A Server answers for one pod of dex.
type Server struct {
	config     *Config
	state      *state
	connectors map[string]remote // those that redirect to another issuer
	mux        *http.ServeMux
}

// New starts a dex. Like dex it asks the issuers of its connectors first, by this client, and fails if one does not answer.
func New(ctx context.Context, text []byte, env map[string]string, store *Store, namespace string, by *http.Client) (*Server, error) {
	config, err := ReadConfig(text, env)
	if err != nil {
		return nil, err
	}
	kept, err := store.of(namespace)
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, state: kept, connectors: map[string]remote{}, mux: http.NewServeMux()}
	for _, c := range config.Connectors {
		if c.Type == local {
			continue
		}
		if s.connectors[c.ID], err = openConnector(ctx, c, by); err != nil {
			return nil, err
		}
	}
	for path, handler := range map[string]http.HandlerFunc{
		"/.well-known/openid-configuration": s.discovery, "/keys": s.keys, "/auth": s.authorize, "/auth/{connector}": s.connect,
		"/auth/local/login": s.login, "/callback": s.callback, "/callback/{connector}": s.callback, "/token": s.token,
		"/healthz": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Health check passed")) },
	} {
		s.mux.HandleFunc(config.path+path, handler)
	}
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	at := func(path string) string { return strings.TrimSuffix(s.config.Issuer, "/") + path }
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": s.config.Issuer, "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
		"grant_types_supported":    []string{"authorization_code", "refresh_token"},
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256", "plain"},
		"scopes_supported":                      []string{"openid", "email", "groups", "profile", "offline_access"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"claims_supported":                      []string{"iss", "sub", "aud", "iat", "exp", "email", "email_verified", "locale", "name", "preferred_username", "at_hash"},
	})
}

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.state.key.Public()}})
}

// authorize begins a sign-in: with the only connector, or with the page that lists them.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := authRequest{
		client: r.FormValue("client_id"), redirectURI: r.FormValue("redirect_uri"), state: r.FormValue("state"), nonce: r.FormValue("nonce"),
		challenge: r.FormValue("code_challenge"), method: r.FormValue("code_challenge_method"),
		scopes: strings.Fields(r.FormValue("scope")), expires: time.Now().Add(24 * time.Hour),
	}
	client, ok := s.client(q.client)
	switch {
	case !ok:
		s.page(w, http.StatusNotFound, "Error", "Invalid client_id.")
		return
	case !slices.Contains(client.RedirectURIs, q.redirectURI):
		s.page(w, http.StatusBadRequest, "Error", "Unregistered redirect_uri.")
		return
	case r.FormValue("response_type") != "code":
		back(w, r, q, url.Values{"error": {"unsupported_response_type"}})
		return
	case !slices.Contains(q.scopes, "openid"):
		back(w, r, q, url.Values{"error": {"invalid_scope"}, "error_description": {`Missing required scope(s) ["openid"].`}})
		return
	}
	if chosen := r.FormValue("connector_id"); chosen != "" || len(s.config.Connectors) == 1 {
		if chosen == "" {
			chosen = s.config.Connectors[0].ID
		}
		http.Redirect(w, r, s.config.path+"/auth/"+url.PathEscape(chosen)+"?"+url.Values{"req": {put(s.state, s.state.requests, q)}}.Encode(), http.StatusFound)
		return
	}
	s.choose(w, put(s.state, s.state.requests, q))
}

func (s *Server) client(id string) (client, bool) {
	at := slices.IndexFunc(s.config.StaticClients, func(c client) bool { return c.ID == id })
	if at < 0 {
		return client{}, false
	}
	return s.config.StaticClients[at], true
}

// connect goes on to the form of the password database, or to the issuer of a connector.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	name, id := r.PathValue("connector"), r.FormValue("req")
	q, ok := look(s.state, s.state.requests, id)
	switch to := s.connectors[name]; {
	case !ok:
		s.page(w, http.StatusBadRequest, "Error", "User session error.")
	case name == local && s.config.EnablePasswordDB:
		http.Redirect(w, r, s.config.path+"/auth/local/login?"+url.Values{"state": {id}, "back": {""}}.Encode(), http.StatusFound)
	case to == nil:
		s.page(w, http.StatusBadRequest, "Error", "Requested resource does not exist.")
	default:
		http.Redirect(w, r, to.loginURL(id, slices.Contains(q.scopes, "groups")), http.StatusFound)
	}
}

// callback takes what the issuer of a connector returns.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("state")
	q, ok := look(s.state, s.state.requests, id)
	if !ok {
		s.page(w, http.StatusBadRequest, "Error", "User session error.")
		return
	}
	for _, c := range s.config.Connectors {
		to := s.connectors[c.ID]
		if to == nil || r.PathValue("connector") != "" && r.PathValue("connector") != c.ID || !to.began(id) {
			continue
		}
		who, err := to.identify(r, slices.Contains(q.scopes, "groups"))
		if err != nil {
			s.page(w, http.StatusInternalServerError, "Error", "Failed to authenticate: "+err.Error())
			return
		}
		who.connector = c.ID
		s.finish(w, r, id, who)
		return
	}
	s.page(w, http.StatusBadRequest, "Error", "Requested resource does not exist.")
}

// finish sends a code for who signed in to the client.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, id string, who identity) {
	q, ok := take(s.state, s.state.requests, id)
	if !ok || time.Now().After(q.expires) {
		s.page(w, http.StatusBadRequest, "Error", "User session error.")
		return
	}
	back(w, r, q, url.Values{"code": {put(s.state, s.state.codes, grant{q, who})}})
}

func back(w http.ResponseWriter, r *http.Request, q authRequest, values url.Values) {
	to, err := url.Parse(q.redirectURI)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	query := to.Query()
	for name, value := range values {
		query[name] = value
	}
	query.Set("state", q.state)
	to.RawQuery = query.Encode()
	w.Header().Set("Location", to.String()) // http.Redirect would resolve a relative one
	w.WriteHeader(http.StatusSeeOther)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

var pages = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html><head><title>dex</title></head><body><h2>{{.Title}}</h2>{{with .Text}}<p id="error">{{.}}</p>{{end}}
{{range .Links}}<a href="{{.URL}}">Log in with {{.Name}}</a>
{{end}}{{if .Form}}<form method="post" action="{{.Form}}">
<input name="login" type="text" placeholder="email address"><input name="password" type="password" placeholder="password"><button type="submit">Login</button>
</form>
{{end}}</body></html>
`))

type link struct{ Name, URL string }

func (s *Server) page(w http.ResponseWriter, status int, title, text string) {
	s.show(w, status, map[string]any{"Title": title, "Text": text})
}

func (s *Server) show(w http.ResponseWriter, status int, values map[string]any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages.Execute(w, values)
}

func (s *Server) choose(w http.ResponseWriter, id string) {
	var links []link
	for _, c := range s.config.Connectors {
		links = append(links, link{c.Name, s.config.path + "/auth/" + url.PathEscape(c.ID) + "?" + url.Values{"req": {id}}.Encode()})
	}
	s.show(w, http.StatusOK, map[string]any{"Title": "Log in to dex", "Links": links})
}
