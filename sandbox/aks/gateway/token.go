package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A jwtRule is a rule of a RequestAuthentication.
type jwtRule struct {
	Issuer               string
	Audiences            []string
	JWKSURI              string `json:"jwksUri"`
	JWKS                 string `json:"jwks"`
	FromHeaders          []struct{ Name, Prefix string }
	FromParams           []string
	FromCookies          []string
	OutputClaimToHeaders []struct{ Header, Claim string }
	ForwardOriginalToken bool
}

// A rejection is why a token is rejected, in Envoy's words.
type rejection string

const (
	malformed rejection = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
	foreign   rejection = "Jwt issuer is not configured"
	expired   rejection = "Jwt is expired"
	early     rejection = "Jwt not yet valid"
	forOthers rejection = "Audiences in Jwt are not allowed"
	keyless   rejection = "Jwks remote fetch is failed"
	forged    rejection = "Jwt verification fails"
)

// skew is how much clocks may differ: Envoy's default.
const skew = time.Minute

// jwtRules are those of the RequestAuthentications that select the gateway.
func (g *Gateway) jwtRules(all []unstructured.Unstructured) []jwtRule {
	var rules []jwtRule
	for _, item := range all {
		if !selects(item, g.pod.Labels) {
			continue
		}
		var of struct{ Spec struct{ JWTRules []jwtRule } }
		if json.Unmarshal(mustJSON(item.Object), &of) == nil {
			rules = append(rules, of.Spec.JWTRules...)
		}
	}
	return rules
}

// validate validates the tokens of a request and sets the headers of their claims, as Envoy's jwt_authn filter does: a request
// without a token passes, one whose token no rule accepts is rejected.
func (g *Gateway) validate(w http.ResponseWriter, r *http.Request, rules []jwtRule) (claims map[string]any, ok bool) {
	for _, rule := range rules {
		for _, output := range rule.OutputClaimToHeaders { // never as the client says
			r.Header.Del(output.Header)
		}
	}
	why := rejection("")
	for _, rule := range rules {
		for _, token := range rule.tokens(r) {
			claims, no := g.cluster.verify(r, rule, token)
			if no == "" {
				rule.output(r, token, claims)
				return claims, true
			}
			if why == "" || why == foreign { // the reason of the rule for this issuer
				why = no
			}
		}
	}
	if why == "" {
		return nil, true
	}
	status := http.StatusUnauthorized
	if why == forOthers {
		status = http.StatusForbidden
	}
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s%s", error="invalid_token"`, r.Host, r.URL.Path))
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(why))
	return nil, false
}

// tokens are those in the places that a rule names; without any, Istio's default places.
func (j jwtRule) tokens(r *http.Request) []string {
	var all []string
	headers, params := j.FromHeaders, j.FromParams
	if len(headers)+len(params)+len(j.FromCookies) == 0 {
		headers, params = []struct{ Name, Prefix string }{{"Authorization", "Bearer "}}, []string{"access_token"}
	}
	for _, header := range headers {
		if token, ok := strings.CutPrefix(r.Header.Get(header.Name), header.Prefix); ok && token != "" {
			all = append(all, token)
		}
	}
	for _, param := range params {
		if token := r.URL.Query().Get(param); token != "" {
			all = append(all, token)
		}
	}
	for _, name := range j.FromCookies {
		if cookie, err := r.Cookie(name); err == nil {
			all = append(all, cookie.Value)
		}
	}
	return all
}

// algorithms are those that Envoy verifies.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// verify returns a token's claims, or why a rule rejects it.
func (c Cluster) verify(r *http.Request, rule jwtRule, token string) (map[string]any, rejection) {
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, malformed
	}
	var claims map[string]any
	if json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims) != nil {
		return nil, malformed
	}
	now := time.Now()
	switch {
	case claims["iss"] != rule.Issuer:
		return nil, foreign
	case after(now.Add(-skew), claims["exp"]):
		return nil, expired
	case claims["nbf"] != nil && !after(now.Add(skew), claims["nbf"]):
		return nil, early
	case len(rule.Audiences) > 0 && !slices.ContainsFunc(texts(claims["aud"]), func(a string) bool { return slices.Contains(rule.Audiences, a) }):
		return nil, forOthers
	}
	keys, err := c.Keys.of(r.Context(), rule)
	if err != nil {
		return nil, keyless
	}
	for _, key := range keys.Keys {
		if id := signed.Signatures[0].Header.KeyID; id != "" && key.KeyID != "" && id != key.KeyID {
			continue
		}
		if _, err := signed.Verify(key); err == nil {
			return claims, ""
		}
	}
	return nil, forged
}

// after reports whether a time is after a claim in seconds.
func after(t time.Time, claim any) bool {
	seconds, ok := claim.(float64)
	return ok && t.After(time.Unix(int64(seconds), 0))
}

// output sets the headers of claims, and removes the token unless it is forwarded.
func (j jwtRule) output(r *http.Request, token string, claims map[string]any) {
	for _, o := range j.OutputClaimToHeaders {
		switch v := claims[o.Claim].(type) {
		case nil:
		case string:
			r.Header.Set(o.Header, v)
		case bool, float64:
			r.Header.Set(o.Header, fmt.Sprint(v))
		default:
			r.Header.Set(o.Header, base64.RawURLEncoding.EncodeToString(mustJSON(v)))
		}
	}
	if j.ForwardOriginalToken {
		return
	}
	for name, values := range r.Header {
		if len(values) == 1 && strings.HasSuffix(values[0], token) {
			delete(r.Header, name)
		}
	}
}
