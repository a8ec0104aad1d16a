package entra

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// What a federated credential of the application names.
const audience = "api://AzureADTokenExchange"

var subjects = []string{"system:serviceaccount:oauth2-proxy:oauth2-proxy", "system:serviceaccount:auth:dex"}

// lifetime is that of a token: Entra's are between 60 and 90 minutes.
const lifetime = 75 * time.Minute

// token exchanges a code or a refresh token, for the application's secret or a federated token.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	switch assertion := r.PostFormValue("client_assertion"); {
	case !s.knows(r.PathValue("tenant"), id):
		fail(w, http.StatusBadRequest, "unauthorized_client", "AADSTS700016: Application with identifier '"+id+"' was not found in the directory.")
		return
	case assertion != "":
		if why := s.refuses(r.Context(), id, assertion); why != "" {
			fail(w, http.StatusUnauthorized, "invalid_client", why)
			return
		}
	case secret == "":
		fail(w, http.StatusUnauthorized, "invalid_client", "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
		return
	case !s.proves(id, secret):
		fail(w, http.StatusUnauthorized, "invalid_client", "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.")
		return
	}
	if r.PostFormValue("grant_type") == "client_credentials" {
		reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "access_token": s.put(grant{client: id})})
		return
	}
	code := r.PostFormValue("code")
	if r.PostFormValue("grant_type") == "refresh_token" {
		code = r.PostFormValue("refresh_token")
	}
	g, ok := s.get(code)
	switch {
	case !ok || g.client != id:
		fail(w, http.StatusBadRequest, "invalid_grant", "AADSTS70008: The provided authorization code or refresh token has expired.")
		return
	case r.PostFormValue("code") != "" && g.redirectURI != r.PostFormValue("redirect_uri"):
		fail(w, http.StatusBadRequest, "invalid_grant", "AADSTS500112: The reply address does not match the reply address provided when requesting the authorization code.")
		return
	case r.PostFormValue("code") != "" && !g.proves(r.PostFormValue("code_verifier")):
		fail(w, http.StatusBadRequest, "invalid_grant", "AADSTS501481: The Code_Verifier does not match the code_challenge supplied in the authorization request.")
		return
	}
	s.issue(w, r, g)
}

func (g grant) proves(verifier string) bool {
	if g.method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return g.challenge == verifier
}

// refuses returns why a federated token is refused, "" if it is not.
func (s *Server) refuses(ctx context.Context, client, assertion string) string {
	const prefix = "AADSTS70021: No matching federated identity record found for presented assertion. "
	signed, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return "AADSTS50027: JWT token is invalid or malformed."
	}
	keys, err := s.federated(ctx)
	if err != nil {
		return "AADSTS700233: the keys of the issuer cannot be read: " + err.Error()
	}
	text, err := signed.Verify(keys)
	if err != nil {
		return "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application."
	}
	var claims struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience []string `json:"aud"`
		Expires  int64    `json:"exp"`
	}
	switch err := json.Unmarshal(text, &claims); {
	case err != nil:
		return "AADSTS50027: JWT token is invalid or malformed."
	case time.Now().Unix() > claims.Expires:
		return "AADSTS700024: Client assertion is not within its valid time range."
	case !s.federates(client, claims.Issuer, claims.Subject):
		return prefix + "Assertion Subject: '" + claims.Subject + "'."
	case !slices.Contains(claims.Audience, audience):
		return prefix + "Assertion Audience: '" + strings.Join(claims.Audience, " ") + "'."
	}
	return ""
}

func (s *Server) issue(w http.ResponseWriter, r *http.Request, g grant) {
	now := time.Now()
	claims := g.user.claims(g.scopes)
	claims["iss"], claims["aud"] = issuer(r, g.user.tenant), g.client
	claims["iat"], claims["nbf"], claims["exp"] = now.Unix(), now.Unix(), now.Add(lifetime).Unix()
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	id, err := s.sign(claims)
	if err != nil {
		fail(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	answer := map[string]any{
		"token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "scope": strings.Join(g.scopes, " "), "access_token": s.put(g), "id_token": id,
	}
	if slices.Contains(g.scopes, "offline_access") {
		answer["refresh_token"] = s.put(g)
	}
	reply(w, http.StatusOK, answer)
}

func (s *Server) sign(claims map[string]any) (string, error) {
	text, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: s.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(text)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
