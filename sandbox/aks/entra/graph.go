package entra

import (
	"net/http"
	"strings"
)

// bearer returns whose access token a request has. It responds for none.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request) (grant, bool) {
	g, ok := s.get(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if !ok {
		reply(w, http.StatusUnauthorized, map[string]any{"error": map[string]string{"code": "InvalidAuthenticationToken", "message": "Access token is empty or invalid."}})
	}
	return g, ok
}

func (s *Server) me(w http.ResponseWriter, r *http.Request) {
	if g, ok := s.bearer(w, r); ok {
		mail := any(nil)
		if g.user.email != "" {
			mail = g.user.email
		}
		reply(w, http.StatusOK, map[string]any{"id": g.user.id(), "displayName": g.user.name, "userPrincipalName": g.user.upn, "mail": mail})
	}
}

func (s *Server) memberOf(w http.ResponseWriter, r *http.Request) {
	g, ok := s.bearer(w, r)
	if !ok {
		return
	}
	groups := []map[string]string{}
	for _, id := range g.user.groupIDs() {
		groups = append(groups, map[string]string{"id": id, "displayName": "group-" + id[len(id)-4:]})
	}
	reply(w, http.StatusOK, map[string]any{"value": groups})
}

func (s *Server) userInfo(w http.ResponseWriter, r *http.Request) {
	if g, ok := s.bearer(w, r); ok {
		claims := map[string]any{"sub": "sub-" + g.user.id(), "name": g.user.name}
		if g.user.email != "" {
			claims["email"] = g.user.email
		}
		reply(w, http.StatusOK, claims)
	}
}
