package dex

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// microsoft is dex's connector microsoft: it asks Microsoft Graph who signed in.
type microsoft struct{ *provider }

func newMicrosoft(base *provider) *microsoft {
	m := &microsoft{base}
	m.authURL, m.tokenURL = m.at("/oauth2/v2.0/authorize"), m.at("/oauth2/v2.0/token")
	return m
}

func (m *microsoft) at(path string) string {
	return cmp.Or(m.text("apiURL"), "https://login.microsoftonline.com") + "/" + cmp.Or(m.text("tenant"), "common") + path
}

func (m *microsoft) loginURL(request string, groups bool) string {
	scopes := []string{"user.read"}
	if groups && m.text("tenant") != "" {
		scopes = append(scopes, "directory.read.all")
	}
	return m.login(request, scopes)
}

func (m *microsoft) identify(r *http.Request, groups bool) (identity, error) {
	tokens, err := m.exchange(r)
	if err != nil {
		return identity{}, fmt.Errorf("microsoft: failed to get token: %w", err)
	}
	graph := cmp.Or(m.text("graphURL"), "https://graph.microsoft.com")
	var user struct {
		ID                string `json:"id"`
		DisplayName       string `json:"displayName"`
		UserPrincipalName string `json:"userPrincipalName"`
	}
	if err := m.get(r.Context(), graph+"/v1.0/me?$select=id,displayName,userPrincipalName", tokens.AccessToken, &user); err != nil {
		return identity{}, fmt.Errorf("microsoft: get user: %w", err)
	}
	who := identity{userID: user.ID, username: user.DisplayName, email: user.UserPrincipalName, verified: true}
	if m.is("emailToLowercase") {
		who.email = strings.ToLower(who.email)
	}
	if groups && m.text("tenant") != "" {
		var found struct {
			Value []struct {
				DisplayName string `json:"displayName"`
			} `json:"value"`
		}
		if err := m.get(r.Context(), graph+"/v1.0/me/memberOf", tokens.AccessToken, &found); err != nil {
			return identity{}, fmt.Errorf("microsoft: get groups: %w", err)
		}
		for _, g := range found.Value {
			who.groups = append(who.groups, g.DisplayName)
		}
	}
	return who, nil
}
