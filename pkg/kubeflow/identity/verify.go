package identity

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// probeBefore notes whether the dashboard answers on this computer. If it does not, that says nothing about the new sign-in.
func (p *Plan) probeBefore(ctx context.Context) {
	if p.Identity != nil {
		p.answers = probe.Do(ctx, p.request(ctx, p.Identity.URL+"/")).Status != 0
	}
}

func (p *Plan) request(ctx context.Context, address string) probe.Request {
	r := probe.Request{URL: address, Address: p.address}
	view := p.client.View()
	if t, err := expose.Read(ctx, view); err == nil {
		r.Roots = tls.CA(ctx, view, t)
	}
	return r
}

// verify looks whether users can sign in the new way. The pods run with the new settings.
func (p *Plan) verify(ctx context.Context, say func(string)) error {
	if p.Identity == nil {
		return nil
	}
	if err := p.accepted(ctx); err != nil {
		return err
	}
	if !p.answers {
		say("the dashboard does not answer on this computer, so that its login page was not verified")
		return nil
	}
	page, err := p.loginPage(ctx)
	if err != nil {
		return err
	}
	request := p.request(ctx, page)
	request.Within = true // dex leads to the connector in two steps
	answer := probe.Until(ctx, request, patience)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if answer.Status < 300 || answer.Status > 399 || !sameEndpoint(answer.To, p.provider.Authorization) {
		return &problem.Error{What: fmt.Sprintf("the login page does not lead to %s: %s", p.Identity.Issuer, answer.Message), Next: "Find out why with: kubectl kubeflow doctor auth"}
	}
	return nil
}

// accepted reads whether the gateway accepts the tokens that users will have.
func (p *Plan) accepted(ctx context.Context) error {
	chains, rules, err := dashboard.ReadSignIns(ctx, p.client.View(), p.front.Namespace, p.front.Pods)
	if err != nil {
		return err
	}
	if len(chains) != 1 || chains[0].Product != signin.ViaProxy || len(rules) == 0 {
		return nil // authservice passes no tokens on
	}
	issuer := chains[0].Setting("oidc_issuer_url").Value
	for _, policy := range rules {
		if slices.ContainsFunc(kube.Items(policy.Object, "spec", "jwtRules"), func(r map[string]any) bool { return kube.Text(r, "issuer") == issuer }) {
			return nil
		}
	}
	return &problem.Error{What: "the gateway does not accept tokens of " + issuer, Next: "Find out why with: kubectl kubeflow doctor auth"}
}

// loginPage returns the page of the dashboard that leads to the provider.
func (p *Plan) loginPage(ctx context.Context) (string, error) {
	if p.Identity.Via == signin.ViaProxy {
		return p.Identity.URL + "/oauth2/start?rd=%2F", nil
	}
	dex, err := dashboard.ReadDex(ctx, p.client.View())
	if err != nil || dex == nil || len(dex.Clients) == 0 || len(dex.Clients[0].RedirectURIs) == 0 {
		return "", err
	}
	client := dex.Clients[0]
	query := url.Values{"client_id": {client.ID.Value}, "redirect_uri": {client.RedirectURIs[0]}, "response_type": {"code"}, "scope": {"openid email profile"}, "state": {"probe"},
		"connector_id": {p.Identity.Name}}
	return p.Identity.URL + "/dex/auth?" + query.Encode(), nil
}
