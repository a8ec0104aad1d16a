package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// A discovery is the document in which a provider describes itself (OpenID Connect Discovery 1.0, section 3).
type discovery struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Methods       []string `json:"token_endpoint_auth_methods_supported"`
}

// A provider is asked what can be known before anybody signs in with it.
type provider struct {
	client   *http.Client
	identity signin.Identity
}

func newProvider(client *http.Client, i signin.Identity) provider {
	own := http.Client{Timeout: 15 * time.Second}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return provider{client: &own, identity: i}
}

// check asks the provider whether it knows the client, its redirect URI and its secret. A fault is a *problem.Error.
func (p provider) check(ctx context.Context) (discovery, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return d, err
	}
	if err := p.authorize(ctx, d); err != nil {
		return d, err
	}
	return d, p.secret(ctx, d)
}

func (p provider) discover(ctx context.Context) (discovery, error) {
	var d discovery
	issuer := p.identity.Issuer
	failed := func(format string, args ...any) (discovery, error) {
		return d, &problem.Error{What: fmt.Sprintf("the issuer %s cannot be used: ", issuer) + fmt.Sprintf(format, args...), Next: "Check the address of the issuer, or the tenant"}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return d, err
	}
	status, body, err := p.do(request)
	switch {
	case err != nil && ctx.Err() != nil:
		return d, context.Cause(ctx)
	case err != nil:
		return failed("it does not answer (%v)", err)
	case status != http.StatusOK:
		return failed("it answers %d to a request for its discovery document", status)
	case json.Unmarshal(body, &d) != nil:
		return failed("its discovery document is not JSON")
	case d.Issuer != issuer:
		return failed("its discovery document names the issuer %s", d.Issuer)
	}
	for name, address := range map[string]string{"jwks_uri": d.Keys, "authorization_endpoint": d.Authorization, "token_endpoint": d.Token} {
		if u, err := url.Parse(address); err != nil || u.Host == "" {
			return failed("its discovery document has no %s", name)
		}
	}
	return d, nil
}

// authorize asks for the login page as a browser would. A provider that does not know the client or the redirect URI answers 400.
func (p provider) authorize(ctx context.Context, d discovery) error {
	u, err := url.Parse(d.Authorization)
	if err != nil {
		return err
	}
	query := u.Query()
	for key, value := range map[string]string{"client_id": p.identity.ClientID, "redirect_uri": p.identity.RedirectURI(), "response_type": "code", "scope": "openid email profile", "state": "probe", "nonce": "probe"} {
		query.Set(key, value)
	}
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/html")
	status, body, err := p.do(request)
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return &problem.Error{What: fmt.Sprintf("the login page of %s does not answer: %v", p.identity.Issuer, err), Next: "Try again, or check the provider"}
	case status == http.StatusBadRequest || strings.Contains(string(body), "AADSTS50011") || strings.Contains(string(body), "AADSTS700016"):
		rejected := &problem.Error{What: fmt.Sprintf("%s rejects the client %s with the redirect URI %s", p.identity.Issuer, p.identity.ClientID, p.identity.RedirectURI()),
			Next: "Register this redirect URI for the client, and check the client ID"}
		if p.identity.Entra != nil {
			rejected.Command = Commands(p.identity, "")[0]
		}
		return rejected
	}
	return nil
}

// secret tries the client secret with a code that does not exist: a provider authenticates the client first (RFC 6749, section 3.2.1), and
// answers invalid_client to a wrong one. Entra ID looks at the code first, so it is asked for a token of the client itself.
func (p provider) secret(ctx context.Context, d discovery) error {
	if p.identity.Secret == "" {
		return nil
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {"kubectl-kubeflow-probe"}, "redirect_uri": {p.identity.RedirectURI()}}
	if e := p.identity.Entra; e != nil {
		form = url.Values{"grant_type": {"client_credentials"}, "scope": {e.GraphScope()}}
	}
	ways := []bool{true, false} // with HTTP basic authentication, or in the form
	if len(d.Methods) > 0 && !slices.Contains(d.Methods, "client_secret_basic") || p.identity.Entra != nil {
		ways = []bool{false}
	}
	for _, basic := range ways {
		rejected, err := p.token(ctx, d.Token, form, basic)
		if err != nil || !rejected {
			return err
		}
	}
	return &problem.Error{What: fmt.Sprintf("%s rejects the client secret of %s", p.identity.Issuer, p.identity.ClientID),
		Next: "Check that the file has the value of a secret that has not expired, and not its ID"}
}

func (p provider) token(ctx context.Context, endpoint string, form url.Values, basic bool) (rejected bool, err error) {
	sent := url.Values{}
	for key, values := range form {
		sent[key] = values
	}
	if !basic {
		sent.Set("client_id", p.identity.ClientID)
		sent.Set("client_secret", p.identity.Secret)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(sent.Encode()))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic {
		request.SetBasicAuth(url.QueryEscape(p.identity.ClientID), url.QueryEscape(p.identity.Secret))
	}
	_, body, err := p.do(request)
	switch {
	case err != nil && ctx.Err() != nil:
		return false, context.Cause(ctx)
	case err != nil:
		return false, &problem.Error{What: fmt.Sprintf("the token endpoint of %s does not answer", p.identity.Issuer), Next: "Try again, or check the provider"}
	}
	var answer struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(body, &answer) // what is not an answer of OAuth rejects nothing
	return answer.Error == "invalid_client" || answer.Error == "unauthorized_client", nil
}

func (p provider) do(request *http.Request) (status int, body []byte, err error) {
	response, err := p.client.Do(request)
	if err != nil {
		return 0, nil, withoutURL(err)
	}
	defer response.Body.Close()
	body, _ = bounded.Start(response.Body, bounded.Message)
	return response.StatusCode, body, nil
}

// withoutURL returns the cause of an error of a request, without the address, which may have a query.
func withoutURL(err error) error {
	if wrapped, ok := err.(*url.Error); ok {
		return wrapped.Err
	}
	return err
}
