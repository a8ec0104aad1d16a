package gateway

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
)

// Sessions are the users that signed in, by the value of their cookie, and the codes that dex issued.
type Sessions struct {
	mu    sync.Mutex
	users map[string]string
}

// NewSessions creates an empty store.
func NewSessions() *Sessions { return &Sessions{users: map[string]string{}} }

// issue returns a secret that stands for a user.
func (s *Sessions) issue(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret := rand.Text()
	s.users[secret] = user
	return secret
}

func (s *Sessions) user(secret string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[secret]
}

var cookies = map[gate]string{authservice: "authservice_session", oauth2Proxy: "oauth2_proxy_kubeflow"}

// callbacks are the paths to which dex returns.
var callbacks = map[gate]string{authservice: "/login/oidc", oauth2Proxy: "/oauth2/callback"}

// finish exchanges dex's code for a session cookie and returns to the page that was asked for.
func (g *Gateway) finish(w http.ResponseWriter, r *http.Request, in gate) {
	query := r.URL.Query()
	user := g.cluster.Sessions.user(query.Get("code"))
	if user == "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookies[in], Value: g.cluster.Sessions.issue(user), Path: "/", HttpOnly: true, Secure: r.TLS != nil})
	back := query.Get("state")
	if back == "" || back[0] != '/' {
		back = "/"
	}
	redirect(w, back)
}

// dex serves the login page of dex's password database.
func (g *Gateway) dex(w http.ResponseWriter, r *http.Request) bool {
	const login = "/dex/auth/local/login"
	switch {
	case g.cluster.Sessions == nil:
		return false
	case r.URL.Path == "/dex/auth" && r.URL.Query().Get("redirect_uri") != "":
		redirect(w, login+"?"+r.URL.RawQuery)
	case r.URL.Path == login && r.Method == http.MethodPost:
		user := r.PostFormValue("login")
		if !g.cluster.Password(user, r.PostFormValue("password")) {
			g.loginPage(w, http.StatusUnauthorized, "Invalid Email Address and password.")
			return true
		}
		query := r.URL.Query()
		back := url.Values{"code": {g.cluster.Sessions.issue(user)}, "state": {query.Get("state")}}
		w.Header().Set("Location", query.Get("redirect_uri")+"?"+back.Encode())
		w.WriteHeader(http.StatusSeeOther)
	case r.URL.Path == login:
		g.loginPage(w, http.StatusOK, "")
	default:
		return false
	}
	return true
}

func (g *Gateway) loginPage(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`<!doctype html>
<html><head><title>dex</title></head><body><p>` + message + `</p><form method="post" action="">
<input name="login" type="text"><input name="password" type="password"><button type="submit">Login</button>
</form></body></html>
`))
}

// identity returns the user that the gateway tells to the programs behind it: who signed in, or the user that v1.2 adds.
func (g *Gateway) identity(r *http.Request, in gate) string {
	if in == open {
		for _, filter := range g.cluster.list(r.Context(), envoyFilters, g.pod.Namespace) {
			if filter.GetName() == "add-user-filter" {
				return "anonymous@kubeflow.org"
			}
		}
		return ""
	}
	cookie, err := r.Cookie(cookies[in])
	if err != nil || g.cluster.Sessions == nil {
		return ""
	}
	return g.cluster.Sessions.user(cookie.Value)
}
