package dex

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// local is the connector of the password database.
const local = "local"

// login serves the form of the password database.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("state")
	if _, ok := look(s.state, s.state.requests, id); !ok || !s.config.EnablePasswordDB {
		s.page(w, http.StatusBadRequest, "Error", "User session error.")
		return
	}
	form := map[string]any{"Title": "Log in to Your Account", "Form": r.URL.RequestURI()}
	if r.Method != http.MethodPost {
		s.show(w, http.StatusOK, form)
		return
	}
	who, ok := s.user(r.PostFormValue("login"), r.PostFormValue("password"))
	if !ok {
		form["Text"] = "Invalid Email Address and password."
		s.show(w, http.StatusUnauthorized, form)
		return
	}
	s.finish(w, r, id, who)
}

func (s *Server) user(email, given string) (identity, bool) {
	at := slices.IndexFunc(s.config.StaticPasswords, func(p password) bool { return strings.EqualFold(p.Email, email) })
	if at < 0 {
		return identity{}, false
	}
	p := s.config.StaticPasswords[at]
	if bcrypt.CompareHashAndPassword([]byte(p.Hash), []byte(given)) != nil {
		return identity{}, false
	}
	return identity{
		connector: local, userID: p.UserID, username: p.Username, preferred: p.PreferredUsername, email: p.Email, verified: true, groups: p.Groups,
	}, true
}
