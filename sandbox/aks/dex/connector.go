package dex

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// A remote is a connector that redirects to another issuer.
type remote interface {
	loginURL(request string, groups bool) string
	began(request string) bool
	identify(r *http.Request, groups bool) (identity, error)
}

func openConnector(ctx context.Context, c connector, by *http.Client) (remote, error) {
	base := &provider{settings: c.Config, client: by, requests: map[string]bool{}}
	switch c.Type {
	case "oidc":
		p := &oidc{provider: base}
		if err := p.open(ctx); err != nil {
			return nil, fmt.Errorf("failed to initialize server: server: Failed to open connector %s: failed to open connector: failed to create connector %s: failed to get provider: %w", c.ID, c.ID, err)
		}
		return p, nil
	case "microsoft":
		return newMicrosoft(base), nil
	}
	return nil, fmt.Errorf("failed to initialize storage connectors: unknown connector type %q", c.Type)
}

// A provider is what connectors share: the settings and the code flow.
type provider struct {
	settings map[string]any
	client   *http.Client

	authURL, tokenURL string

	mu       sync.Mutex
	requests map[string]bool // those that went to this connector
}

func (p *provider) text(name string) string { text, _ := p.settings[name].(string); return text }
func (p *provider) is(name string) bool     { is, _ := p.settings[name].(bool); return is }

func (p *provider) list(name string) []string {
	items, _ := p.settings[name].([]any)
	var all []string
	for _, item := range items {
		all = append(all, fmt.Sprint(item))
	}
	return all
}

func (p *provider) began(request string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[request]
}

func (p *provider) login(request string, scopes []string) string {
	p.mu.Lock()
	p.requests[request] = true
	p.mu.Unlock()
	return p.authURL + "?" + url.Values{
		"client_id": {p.text("clientID")}, "redirect_uri": {p.text("redirectURI")}, "response_type": {"code"},
		"scope": {strings.Join(scopes, " ")}, "state": {request},
	}.Encode()
}

// exchange exchanges the code of a callback.
func (p *provider) exchange(r *http.Request) (tokens struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
}, err error) {
	if wrong := r.FormValue("error"); wrong != "" {
		return tokens, fmt.Errorf("%s: %s", wrong, r.FormValue("error_description"))
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {r.FormValue("code")}, "redirect_uri": {p.text("redirectURI")},
		"client_id": {p.text("clientID")}, "client_secret": {p.text("clientSecret")},
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, p.tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return tokens, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return tokens, p.do(request, &tokens)
}

func (p *provider) get(ctx context.Context, from, token string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return p.do(request, into)
}

func (p *provider) do(request *http.Request, into any) error {
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	return json.Unmarshal(text, into)
}

// oidc is dex's connector oidc.
type oidc struct {
	*provider
	keysURL string
}

func (o *oidc) open(ctx context.Context) error {
	var found struct {
		Issuer   string `json:"issuer"`
		AuthURL  string `json:"authorization_endpoint"`
		TokenURL string `json:"token_endpoint"`
		KeysURL  string `json:"jwks_uri"`
	}
	if err := o.get(ctx, strings.TrimSuffix(o.text("issuer"), "/")+"/.well-known/openid-configuration", "", &found); err != nil {
		return err
	}
	if found.Issuer != o.text("issuer") {
		return fmt.Errorf("oidc: issuer did not match the issuer returned by provider, expected %q got %q", o.text("issuer"), found.Issuer)
	}
	o.authURL, o.tokenURL, o.keysURL = found.AuthURL, found.TokenURL, found.KeysURL
	return nil
}

func (o *oidc) loginURL(request string, _ bool) string {
	scopes := o.list("scopes")
	if len(scopes) == 0 {
		scopes = []string{"profile", "email"}
	}
	return o.login(request, append([]string{"openid"}, scopes...))
}

func (o *oidc) identify(r *http.Request, _ bool) (identity, error) {
	tokens, err := o.exchange(r)
	if err != nil {
		return identity{}, fmt.Errorf("oidc: failed to get token: %w", err)
	}
	claims, err := o.verify(r.Context(), tokens.IDToken)
	if err != nil {
		return identity{}, fmt.Errorf("oidc: failed to verify ID Token: %w", err)
	}
	return o.from(claims)
}

func (o *oidc) verify(ctx context.Context, token string) (map[string]any, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return nil, err
	}
	var keys jose.JSONWebKeySet
	if err := o.get(ctx, o.keysURL, "", &keys); err != nil {
		return nil, err
	}
	text, err := signed.Verify(keys)
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		return nil, err
	}
	if claims["iss"] != o.text("issuer") || claims["aud"] != o.text("clientID") {
		return nil, fmt.Errorf("expected issuer %q and audience %q, got %v and %v", o.text("issuer"), o.text("clientID"), claims["iss"], claims["aud"])
	}
	return claims, nil
}

// from returns who the claims say that signed in, by the connector's names of claims.
func (o *oidc) from(claims map[string]any) (identity, error) {
	mapping, _ := o.settings["claimMapping"].(map[string]any)
	claim := func(standard, named string) string {
		if value, _ := claims[standard].(string); value != "" && !o.is("overrideClaimMapping") {
			return value
		}
		key, _ := mapping[named].(string)
		if key == "" {
			key = standard
		}
		value, _ := claims[key].(string)
		return value
	}
	who := identity{email: claim("email", "email"), preferred: claim("preferred_username", "preferred_username")}
	key := func(setting, otherwise string) (string, error) {
		name := o.text(setting)
		if name == "" {
			name = otherwise
		}
		value, _ := claims[name].(string)
		if value == "" {
			return "", fmt.Errorf("missing %q claim", name)
		}
		return value, nil
	}
	var err error
	if who.username, err = key("userNameKey", "name"); err != nil {
		return who, err
	}
	if who.userID, err = key("userIDKey", "sub"); err != nil {
		return who, err
	}
	scopes := o.list("scopes")
	if who.email == "" && (len(scopes) == 0 || slices.Contains(scopes, "email")) {
		return who, errors.New(`missing email claim, not found "email" key`)
	}
	verified, found := claims["email_verified"].(bool)
	if !found && !o.is("insecureSkipEmailVerified") && who.email != "" {
		return who, errors.New(`missing "email_verified" claim`)
	}
	who.verified = verified || o.is("insecureSkipEmailVerified")
	if o.is("insecureEnableGroups") {
		groups, _ := claims["groups"].([]any)
		for _, g := range groups {
			who.groups = append(who.groups, fmt.Sprint(g))
		}
	}
	return who, nil
}
