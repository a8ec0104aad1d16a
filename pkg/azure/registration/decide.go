package registration

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// Wanted is what the app registration of a cluster has to have.
type Wanted struct {
	UniqueName  string // by which it is found: see [UniqueName]
	DisplayName string
	RedirectURI string
	Federated   *Federated // what proves the client; nil for a client secret
}

// Federated names the ServiceAccount whose tokens prove the client.
type Federated struct{ Issuer, Subject string }

// Held is the client secret that the cluster has.
type Held struct {
	ClientID string    `json:"clientID"`
	KeyID    string    `json:"keyID"`
	Secret   string    `json:"secret"`
	Until    time.Time `json:"until"`
}

// UniqueName is the name by which the app registration of a cluster is found, whose kube-system namespace has this UID. It never changes.
func UniqueName(uid string) string { return "kubectl-kubeflow-" + uid }

// What Graph returns. The fields are those that are read.
type (
	// An Application is an app registration.
	Application struct {
		ID       string     `json:"id"` // the object's, not the client's
		AppID    string     `json:"appId"`
		Name     string     `json:"displayName"`
		Audience string     `json:"signInAudience"`
		Created  time.Time  `json:"createdDateTime"`
		Web      Web        `json:"web"`
		Access   []Access   `json:"requiredResourceAccess"`
		Secrets  []Password `json:"passwordCredentials"`
	}
	// Web are its settings for web applications.
	Web struct {
		RedirectURIs []string `json:"redirectUris"`
	}
	// An Access is what it asks users' consent for, at one API.
	Access struct {
		API    string  `json:"resourceAppId"`
		Scopes []Scope `json:"resourceAccess"`
	}
	// A Scope is a delegated permission.
	Scope struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	// A Password is a client secret.
	Password struct {
		KeyID string    `json:"keyId"`
		Name  string    `json:"displayName"`
		Until time.Time `json:"endDateTime"`
		Text  string    `json:"secretText,omitempty"` // only in the answer that creates it
	}
	// A Credential is a federated credential.
	Credential struct {
		Name      string   `json:"name"`
		Issuer    string   `json:"issuer"`
		Subject   string   `json:"subject"`
		Audiences []string `json:"audiences"`
	}
)

// Found is what there is in the tenant.
type Found struct {
	Application *Application // nil if there is none
	Principal   bool         // users can sign in to it
	Federated   []Credential
}

const (
	singleTenant = "AzureADMyOrg"
	graphAPI     = "00000003-0000-0000-c000-000000000000"
	credential   = "kubectl-kubeflow" // the name of secrets and federated credentials that this program adds
	exchange     = "api://AzureADTokenExchange"
)

// Scopes are the delegated permissions of Microsoft Graph that signing in takes: openid, profile, email and User.Read. Users can consent.
var Scopes = []string{"37f7f235-527c-4136-accd-4a02d197296e", "14dad69e-099b-42c9-810b-d002981feec1", "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", "e1fe6dd8-ba31-4d61-89e7-88639da4683d"}

// An Action is what a step does.
type Action string

// The actions, in their order.
const (
	Create       Action = "create"
	Update       Action = "update"
	Principal    Action = "principal"
	RemoveSecret Action = "removeSecret"
	AddSecret    Action = "addSecret"
	Federate     Action = "federate"
)

// A Step is one change in the tenant.
type Step struct {
	Action Action
	Says   string // what it does, for people: "create app registration ..."
	KeyID  string // of RemoveSecret
}

// Decide returns the steps from what there is to what is wanted; none if that is there.
func Decide(w Wanted, f Found, h Held, now time.Time) []Step {
	var steps []Step
	add := func(a Action, format string, args ...any) {
		steps = append(steps, Step{Action: a, Says: fmt.Sprintf(format, args...)})
	}
	switch {
	case f.Application == nil:
		add(Create, "create app registration %s for users of this tenant, with the redirect URI %s", w.DisplayName, w.RedirectURI)
	case !f.complete(w):
		add(Update, "change app registration %s: %s", f.Application.AppID, text.And(f.missing(w)...))
	}
	if !f.Principal {
		add(Principal, "create its service principal, so that users can sign in to it")
	}
	if w.Federated != nil {
		if !slices.ContainsFunc(f.Federated, func(c Credential) bool { return c.is(w.federated()) }) {
			add(Federate, "accept tokens of %s, issued by %s, instead of a client secret", w.Federated.Subject, w.Federated.Issuer)
		}
		return steps
	}
	var app Application
	if f.Application != nil {
		app = *f.Application
	}
	valid := h.valid(app, now)
	for _, p := range app.Secrets {
		if p.Name == credential && (!valid || p.KeyID != h.KeyID) { // of an interrupted run: no other program has its value
			steps = append(steps, Step{Action: RemoveSecret, KeyID: p.KeyID, Says: "remove client secret " + escape.Line(p.KeyID) + ", which this cluster does not have"})
		}
	}
	if !valid {
		add(AddSecret, "add a client secret, which the cluster keeps in a Secret and which is not shown")
	}
	return steps
}

// valid reports whether the cluster's secret is one of the app registration.
func (h Held) valid(app Application, now time.Time) bool {
	return h.Secret != "" && h.ClientID == app.AppID && slices.ContainsFunc(app.Secrets, func(p Password) bool { return p.KeyID == h.KeyID && p.Until.After(now) })
}

func (f Found) complete(w Wanted) bool { return len(f.missing(w)) == 0 }

// missing lists what an app registration has to be given.
func (f Found) missing(w Wanted) []string {
	var all []string
	if !slices.Contains(f.Application.Web.RedirectURIs, w.RedirectURI) {
		all = append(all, "add the redirect URI "+w.RedirectURI)
	}
	if f.Application.Audience != singleTenant {
		all = append(all, "let only users of this tenant sign in")
	}
	if len(f.Application.access()) > 0 {
		all = append(all, "ask for the permissions openid, profile, email and User.Read")
	}
	return all
}

// access returns the scopes that are not asked for.
func (a Application) access() []string {
	missing := slices.Clone(Scopes)
	for _, of := range a.Access {
		if of.API == graphAPI {
			missing = slices.DeleteFunc(missing, func(id string) bool { return slices.Contains(of.Scopes, Scope{id, "Scope"}) })
		}
	}
	return missing
}

func (w Wanted) federated() Credential {
	return Credential{Name: credential, Issuer: w.Federated.Issuer, Subject: w.Federated.Subject, Audiences: []string{exchange}}
}

func (c Credential) is(o Credential) bool {
	return c.Issuer == o.Issuer && c.Subject == o.Subject && slices.Equal(c.Audiences, o.Audiences)
}

// body is what a request for the application writes: what others added stays.
func (w Wanted) body(a Application) map[string]any {
	uris := a.Web.RedirectURIs
	if !slices.Contains(uris, w.RedirectURI) {
		uris = append(slices.Clone(uris), w.RedirectURI)
	}
	access := slices.Clone(a.Access)
	at := slices.IndexFunc(access, func(of Access) bool { return of.API == graphAPI })
	if at < 0 {
		at, access = len(access), append(access, Access{API: graphAPI})
	}
	access[at].Scopes = slices.Clone(access[at].Scopes)
	for _, id := range a.access() {
		access[at].Scopes = append(access[at].Scopes, Scope{id, "Scope"})
	}
	name := a.Name
	if name == "" {
		name = w.DisplayName
	}
	return map[string]any{"displayName": name, "signInAudience": singleTenant, "web": map[string]any{"redirectUris": uris}, "requiredResourceAccess": access}
}

// Notes tell what else an app registration has, which stays: who reads them knows whether it is the one that is meant.
func Notes(w Wanted, f Found) []string {
	if f.Application == nil {
		return nil
	}
	notes := []string{fmt.Sprintf("App registration %s (%s) was created on %s.", escape.Line(f.Application.AppID), escape.Line(f.Application.Name), f.Application.Created.UTC().Format(time.DateOnly))}
	others := slices.DeleteFunc(slices.Clone(f.Application.Web.RedirectURIs), func(uri string) bool { return uri == w.RedirectURI })
	if len(others) > 0 {
		notes = append(notes, "It also has the redirect URIs "+escape.Line(strings.Join(others, ", "))+", which stay.")
	}
	secrets := slices.DeleteFunc(slices.Clone(f.Application.Secrets), func(p Password) bool { return p.Name == credential })
	if len(secrets) > 0 {
		notes = append(notes, fmt.Sprintf("It also has %s of others, which stay.", text.Plural(len(secrets), "client secret")))
	}
	return notes
}
