package dex

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// token exchanges a code or a refresh token for tokens.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	client, ok := s.client(id)
	if !ok || subtle.ConstantTimeCompare([]byte(client.Secret), []byte(secret)) != 1 {
		refuse(w, http.StatusUnauthorized, "invalid_client", "Invalid client credentials.")
		return
	}
	var g grant
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		g, ok = take(s.state, s.state.codes, r.PostFormValue("code"))
		if ok && !g.proves(r.PostFormValue("code_verifier")) {
			refuse(w, http.StatusBadRequest, "invalid_grant", "Invalid code_verifier.")
			return
		}
		if ok && g.redirectURI != r.PostFormValue("redirect_uri") {
			refuse(w, http.StatusBadRequest, "invalid_request", "redirect_uri did not match URI from initial request.")
			return
		}
	case "refresh_token":
		g, ok = take(s.state, s.state.refresh, r.PostFormValue("refresh_token"))
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
		return
	}
	if !ok || g.client != id {
		refuse(w, http.StatusBadRequest, "invalid_grant", "Invalid or expired code parameter.")
		return
	}
	s.issue(w, g)
}

func refuse(w http.ResponseWriter, status int, code, why string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": why})
}

// proves reports whether a verifier is the one of the request's PKCE challenge.
func (q authRequest) proves(verifier string) bool {
	if q.method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return q.challenge == verifier
}

func (s *Server) issue(w http.ResponseWriter, g grant) {
	access, err := s.sign(g, "")
	if err == nil {
		var id string
		if id, err = s.sign(g, access); err == nil {
			answer := map[string]any{"access_token": access, "token_type": "bearer", "expires_in": int(s.config.validFor.Seconds()), "id_token": id}
			if slices.Contains(g.scopes, "offline_access") {
				answer["refresh_token"] = put(s.state, s.state.refresh, g)
			}
			w.Header().Set("Cache-Control", "no-store")
			writeJSON(w, http.StatusOK, answer)
			return
		}
	}
	refuse(w, http.StatusInternalServerError, "server_error", err.Error())
}

// sign returns a token with the claims of the scopes, and the hash of the access token that it comes with.
func (s *Server) sign(g grant, access string) (string, error) {
	now := time.Now()
	claims := map[string]any{
		"iss": s.config.Issuer, "sub": subject(g.userID, g.connector), "aud": g.client,
		"iat": now.Unix(), "exp": now.Add(s.config.validFor).Unix(),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if access != "" {
		sum := sha256.Sum256([]byte(access))
		claims["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	for _, scope := range g.scopes {
		switch scope {
		case "email":
			claims["email"], claims["email_verified"] = g.email, g.verified
		case "groups":
			if len(g.groups) > 0 {
				claims["groups"] = g.groups
			}
		case "profile":
			claims["name"] = g.username
			if g.preferred != "" {
				claims["preferred_username"] = g.preferred
			}
		}
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: s.state.key}, nil)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(text)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// subject encodes a user and the connector as dex does: a protocol buffer of two strings.
func subject(user, connector string) string {
	var text []byte
	for i, field := range []string{user, connector} {
		text = append(text, byte(i+1)<<3|2)
		text = append(text, byte(len(field))) // shorter than 128
		text = append(text, field...)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
