package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

var login = &Test{
	Name: "login", Title: "The dashboard opens, after login where that is needed", Quick: true,
	Checks: []string{"auth", "exposure", "mesh", "installation"},
	Parts:  []string{"dashboard", "dex", "oauth2-proxy", "authservice", "ingressgateway", "istiod"},
	Applies: func(_ context.Context, s *Session) (string, error) {
		if errors.Is(s.frontOf, dashboard.ErrNoGateway) {
			return "this cluster has no gateway for the dashboard", nil
		}
		return "", s.frontOf
	},
	Run: runLogin,
}

// runLogin opens the dashboard without a session, which must lead to the login page exactly if something authenticates, and then
// with one.
func runLogin(ctx context.Context, t *T) error {
	t.Step("opening the dashboard")
	base, err := t.gatewayURL(ctx)
	if err != nil {
		return t.Layer(Gateway, err)
	}
	p, err := newBrowser(base).login(ctx)
	if err != nil {
		return t.Layer(Gateway, err)
	}
	shown := p.status == http.StatusOK && isDashboard(p)
	asks := p.form != nil && p.form.password != "" || p.moved != ""
	switch {
	case t.auth.By == dashboard.NoAuthentication && !shown:
		return t.Layer(Gateway, p.unexpected("the dashboard"))
	case t.auth.By == dashboard.NoAuthentication:
		if installed := t.authenticator(ctx); installed != "" {
			return t.Layer(Gateway, &Failure{Message: "the dashboard opens without login, although " + installed + " is installed", Next: "kubectl kubeflow doctor installation auth exposure"})
		}
		t.Detail("200 without login: %s", p.title)
		return t.Layer(Gateway, nil)
	case shown:
		return t.Layer(Gateway, &Failure{Message: fmt.Sprintf("the dashboard opens without login, although %s is installed", t.auth.By), Next: "kubectl kubeflow doctor auth exposure"})
	case !asks:
		return t.Layer(Gateway, p.unexpected("a login page"))
	}
	t.Detail("%s asks to sign in: %s", t.auth.By, cmpOr(p.moved, p.url.Path))
	if t.browser == nil {
		return t.Layer(Gateway, t.signin)
	}
	t.Step("opening the dashboard as %s", t.browser.user)
	if p, err = t.browser.get(ctx, "/"); err != nil {
		return t.Layer(Gateway, err)
	}
	if p.status != http.StatusOK || !isDashboard(p) {
		return t.Layer(Gateway, p.unexpected("the dashboard"))
	}
	t.Detail("%s is signed in: %s", t.browser.user, p.title)
	return t.Layer(Gateway, nil)
}

// authenticator names what is installed to sign users in, "" if nothing is, or if that cannot be read.
func (t *T) authenticator(ctx context.Context) string {
	for _, ref := range []cluster.Ref{dashboard.ProxyRef, dashboard.AuthserviceRef} {
		if found, err := t.Get(ctx, ref); err == nil && found != nil {
			return ref.Name
		}
	}
	return ""
}
