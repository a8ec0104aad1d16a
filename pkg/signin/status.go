package signin

import (
	"cmp"
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
)

// A Status is how users sign in to a Kubeflow. It holds no secret.
type Status struct {
	Gateway        string                   `json:"gateway"` // NAMESPACE/NAME of its Service
	Authentication dashboard.Authentication `json:"authentication"`
	Addresses      []string                 `json:"addresses,omitempty"` // of the dashboard, outside the cluster
	Authenticators []Authenticator          `json:"authenticators,omitempty"`
	Provider       *Provider                `json:"dex,omitempty"`
	TokenIssuers   []string                 `json:"tokenIssuers,omitempty"` // whose tokens the gateway accepts
	People         []Profile                `json:"profiles"`
	Unread         []string                 `json:"unread,omitempty"` // what may not be read, with the reason
}

// An Authenticator is what the gateway asks about requests without a session.
type Authenticator struct {
	Product     string      `json:"product"` // oauth2-proxy or authservice
	About       cluster.Ref `json:"about"`
	Issuer      string      `json:"issuer,omitempty"`      // "" where it is not known
	RedirectURL string      `json:"redirectURL,omitempty"` // "" where it follows from the request
	Sessions    string      `json:"sessions,omitempty"`    // cookie, redis, or a database
	UserFrom    string      `json:"userFrom,omitempty"`    // the claim that becomes the user's name
	OwnDex      bool        `json:"ownDex"`                // the issuer is the cluster's own dex
	Hidden      string      `json:"hidden,omitempty"`      // why some of its settings are not known
}

// A Provider is the cluster's own dex.
type Provider struct {
	Issuer       string      `json:"issuer"`
	Storage      string      `json:"storage,omitempty"`
	Connectors   []Connector `json:"connectors,omitempty"`
	Users        []LocalUser `json:"users,omitempty"`
	RedirectURIs []string    `json:"redirectURIs,omitempty"` // to which it sends signed-in users
	Known        bool        `json:"known"`                  // its configuration was read and understood
}

// A Connector is another provider that dex signs users in with.
type Connector struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// A LocalUser is one whose password dex knows.
type LocalUser struct {
	Email           string `json:"email"`
	DefaultPassword bool   `json:"defaultPassword"`
}

// Read reads how users sign in. A cluster without a gateway is a *problem.Error that wraps [dashboard.ErrNoGateway].
func Read(ctx context.Context, view cluster.View) (*Status, error) {
	d, err := dashboard.Read(ctx, view)
	if err != nil {
		return nil, err
	}
	s := &Status{Gateway: d.Namespace() + "/" + d.Service.Name, Authentication: d.Authentication}
	for _, e := range d.Endpoints() {
		if e.Outside() && e.URL != "" && !slices.Contains(s.Addresses, e.URL) {
			s.Addresses = append(s.Addresses, e.URL)
		}
	}
	dex, err := dashboard.ReadDex(ctx, view)
	if err != nil {
		return nil, err
	}
	s.dex(dex)
	chains, rules, err := dashboard.ReadSignIns(ctx, view, d.Namespace(), d.Labels())
	if err != nil {
		return nil, err
	}
	for _, c := range chains {
		s.Authenticators = append(s.Authenticators, authenticatorOf(c, dex))
		s.unread(c.Refused)
	}
	for _, policy := range rules {
		for _, rule := range kube.Items(policy.Object, "spec", "jwtRules") {
			if issuer := kube.Text(rule, "issuer"); issuer != "" && !slices.Contains(s.TokenIssuers, issuer) {
				s.TokenIssuers = append(s.TokenIssuers, issuer)
			}
		}
	}
	s.People, err = Profiles(ctx, view)
	if apierrors.IsForbidden(err) {
		s.unread(err)
		err = nil
	}
	s.mask()
	return s, err
}

// mask leaves out what signs in to an address: a status is shown and shared.
func (s *Status) mask() {
	for i := range s.Authenticators {
		a := &s.Authenticators[i]
		a.Issuer, a.RedirectURL = redact.URL(a.Issuer), redact.URL(a.RedirectURL)
	}
	for i := range s.TokenIssuers {
		s.TokenIssuers[i] = redact.URL(s.TokenIssuers[i])
	}
	if p := s.Provider; p != nil {
		p.Issuer = redact.URL(p.Issuer)
		for i := range p.RedirectURIs {
			p.RedirectURIs[i] = redact.URL(p.RedirectURIs[i])
		}
	}
	for i := range s.Unread {
		s.Unread[i] = redact.Message(s.Unread[i])
	}
}

func (s *Status) unread(err error) {
	if err != nil && !slices.Contains(s.Unread, err.Error()) {
		s.Unread = append(s.Unread, err.Error())
	}
}

func (s *Status) dex(d *dashboard.Dex) {
	if d == nil {
		return
	}
	s.unread(d.Refused)
	p := &Provider{Issuer: d.Issuer, Storage: d.Storage, Known: d.Known}
	for _, c := range d.Connectors {
		p.Connectors = append(p.Connectors, Connector{Type: kube.Text(c, "type"), ID: kube.Text(c, "id"), Name: kube.Text(c, "name")})
	}
	for _, u := range d.Users {
		p.Users = append(p.Users, LocalUser{Email: u.Email, DefaultPassword: auth.IsDefaultHash(u.Hash.Value)})
	}
	for _, c := range d.Clients {
		p.RedirectURIs = append(p.RedirectURIs, c.RedirectURIs...)
	}
	s.Provider = p
}

// authenticatorOf reads the settings that say how a user signs in, with the defaults of the programs.
func authenticatorOf(c dashboard.SignIn, dex *dashboard.Dex) Authenticator {
	a := Authenticator{Product: c.Product, About: cluster.RefOf(c.Workload), Hidden: c.Hidden}
	names := map[string]string{"issuer": "oidc_issuer_url", "redirect": "redirect_url", "sessions": "session_store_type", "user": "oidc_email_claim"}
	defaults := map[string]string{"sessions": "cookie", "user": "email"}
	if c.Product == "authservice" {
		names = map[string]string{"issuer": "OIDC_PROVIDER", "redirect": "REDIRECT_URL", "sessions": "SESSION_STORE_TYPE", "user": "USERID_CLAIM"}
		defaults = map[string]string{"sessions": "boltdb", "user": "email"}
	}
	value := func(what string) string {
		setting := c.Setting(names[what])
		if !setting.Known {
			return ""
		}
		return cmp.Or(setting.Value, defaults[what])
	}
	a.Issuer, a.RedirectURL, a.Sessions, a.UserFrom = value("issuer"), value("redirect"), value("sessions"), value("user")
	a.OwnDex = a.Issuer != "" && (dex.Serves(a.Issuer) || dex == nil && strings.Contains(a.Issuer, "//dex.auth."))
	return a
}
