package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
)

// defaultUser is the user of Kubeflow's manifests.
const defaultUser = "user@example.com"

// signInTime is how long signing in may take; a gateway without a ready pod does not answer.
const signInTime = 45 * time.Second

// signIn opens the dashboard and signs in as a person does. Without authentication it only opens the page.
func (s *Session) signIn(ctx context.Context) (*browser, error) {
	ctx, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	base, err := s.gatewayURL(ctx)
	if err != nil {
		return nil, err
	}
	b := newBrowser(base)
	p, err := b.login(ctx)
	if err != nil {
		return nil, err
	}
	if p.form == nil || p.form.password == "" { // no login page: the dashboard itself
		if p.status != http.StatusOK || !isDashboard(p) {
			return nil, p.unexpected("the dashboard")
		}
		return b, nil
	}
	user, password := s.options.User, s.options.Password
	if user == "" {
		user = defaultUser
	}
	if password == "" {
		password = auth.DefaultPassword
	}
	p, err = b.submit(ctx, p, url.Values{p.form.user: {user}, p.form.password: {password}})
	if err != nil {
		return nil, err
	}
	if p.form != nil && p.form.password != "" {
		return nil, &Failure{Message: fmt.Sprintf("%s could not sign in: the password was rejected", user),
			Next: "Sign in as a user that exists: kubectl kubeflow verify --user-email EMAIL --password-file FILE"}
	}
	if p.status != http.StatusOK || !isDashboard(p) {
		return nil, p.unexpected("the dashboard")
	}
	b.user = user
	return b, nil
}

// login opens the dashboard as somebody who is not signed in, and goes on to the form with a password, if there is one.
func (b *browser) login(ctx context.Context) (*page, error) {
	p, err := b.get(ctx, "/")
	for range 3 { // oauth2-proxy may show a page with a button first
		if err != nil || p.form == nil || p.form.password != "" || !strings.Contains(p.form.action, "/oauth2/start") {
			break
		}
		p, err = b.submit(ctx, p, nil)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, &Failure{Message: "the gateway does not answer: none of its pods is ready", Next: "kubectl kubeflow doctor pods exposure"}
	}
	return p, err
}

func isDashboard(p *page) bool { return strings.Contains(p.title, "Kubeflow") }

// unexpected is the error of a page that is another one than expected.
func (p *page) unexpected(want string) *Failure {
	f := &Failure{Message: fmt.Sprintf("expected %s, but %s answered %d", want, p.url.Path, p.status)}
	switch {
	case p.moved != "":
		f.Message += ", and leads to " + p.moved
	case p.title != "":
		f.Message += fmt.Sprintf(" (%s)", p.title)
	case p.text != "" && len(p.text) < 200:
		f.Message += ": " + strings.TrimSpace(p.text)
	}
	switch p.status {
	case http.StatusForbidden:
		f.Next = "The authentication service may not run: kubectl kubeflow doctor auth mesh"
	case http.StatusServiceUnavailable:
		f.Next = "The mesh does not reach the component: kubectl kubeflow doctor mesh pods"
	default:
		f.Next = "kubectl kubeflow doctor auth exposure mesh"
	}
	return f
}
