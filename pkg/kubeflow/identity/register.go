package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure/registration"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// An App is the app registration that this program creates for a cluster, with what has to be done about it.
type App struct {
	Steps []registration.Step // none if it is complete
	Notes []string            // what else it has

	graph  registration.Caller
	wanted registration.Wanted
	found  registration.Found
	held   registration.Held
	secret *unstructured.Unstructured // that holds it
}

// What stands for the client in a plan until it is registered. No client has them.
const (
	noClient = "00000000-0000-0000-0000-000000000000"
	noSecret = "to-be-created-in-entra-id"
)

// Unregistered returns an identity whose client is still to be registered.
func Unregistered(i signin.Identity) signin.Identity {
	i.ClientID, i.Secret = noClient, noSecret
	if i.Entra != nil && i.Entra.WorkloadIdentity {
		i.Secret = ""
	}
	return i
}

// ClientOf returns the client ID of a plan for commands to show, CLIENT-ID if it is not registered yet.
func ClientOf(p *Plan) string {
	if p.Identity.ClientID == noClient {
		return "CLIENT-ID"
	}
	return p.Identity.ClientID
}

// pending reports whether the client is still to be registered, so that the provider cannot be asked about it.
func (a *App) pending() bool { return a != nil && len(a.Steps) > 0 }

// readApp reads which client secret the cluster has.
func (p *Plan) readApp(ctx context.Context, view cluster.View) error {
	content, secret, err := signin.ReadApp(ctx, view)
	if err != nil || secret == nil {
		return err
	}
	p.App = &App{secret: secret}
	_ = json.Unmarshal(content, &p.App.held) // what is no JSON holds no secret
	return nil
}

// Registration returns the client ID of the app registration that a removal leaves in Entra ID, "" if there is none.
func (p *Plan) Registration() string {
	if p.Removes != nil && p.Removes.Entra != nil {
		return p.Removes.ClientID
	}
	return p.App.ClientID()
}

// ClientID is of the app registration that was created for the cluster, "" if none is known.
func (a *App) ClientID() string {
	switch {
	case a == nil:
		return ""
	case a.found.Application != nil:
		return a.found.Application.AppID
	}
	return a.held.ClientID
}

// planApp decides about the app registration once the cluster can be given a client: nothing is registered for a cluster that cannot use it.
func (p *Plan) planApp(ctx context.Context, view cluster.View, o Options, i *signin.Identity) error {
	if p.App == nil {
		p.App = &App{}
	}
	p.register(i)
	if err := i.Check(); err != nil {
		return err
	}
	var err error
	if p.Transition, err = signin.PlanTransition(ctx, view, p.front, p.prior, i); err != nil {
		return err
	}
	return p.decideApp(ctx, view, o, i)
}

// decideApp decides what has to be done about the app registration, and gives its client to the identity.
func (p *Plan) decideApp(ctx context.Context, view cluster.View, o Options, i *signin.Identity) error {
	a := p.App
	a.graph = o.Graph
	system, err := view.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: "kube-system"})
	if err != nil {
		return fmt.Errorf("reading which cluster this is: %w", err)
	}
	a.wanted = registration.Wanted{UniqueName: registration.UniqueName(string(system.GetUID())), DisplayName: "kubeflow (" + hostOf(i.URL) + ")", RedirectURI: i.RedirectURI()}
	if i.Entra.WorkloadIdentity {
		if a.wanted.Federated, err = p.federated(ctx, view, o.ClusterIssuer); err != nil {
			return err
		}
	}
	if a.found, err = registration.Look(ctx, a.graph, a.wanted); err != nil {
		return byHand(err, *i)
	}
	now, err := view.Now(ctx)
	if err != nil {
		return err
	}
	a.Steps, a.Notes = registration.Decide(a.wanted, a.found, a.held, now), registration.Notes(a.wanted, a.found)
	p.register(i)
	return nil
}

// register gives an identity the client and the secret of the app registration, as far as they are known.
func (p *Plan) register(i *signin.Identity) {
	*i = Unregistered(*i)
	if p.App.found.Application != nil {
		i.ClientID = p.App.found.Application.AppID
	}
	if held := p.App.held; i.Secret != "" && held.ClientID == i.ClientID && held.Secret != "" {
		i.Secret = held.Secret
	}
}

// federated names the ServiceAccount of oauth2-proxy, by the issuer that Entra ID reads keys from.
func (p *Plan) federated(ctx context.Context, view cluster.View, issuer string) (*registration.Federated, error) {
	if issuer == "" {
		var d discovery
		content, err := view.Raw(ctx, "/.well-known/openid-configuration")
		if err != nil {
			return nil, fmt.Errorf("reading the issuer of the cluster: %w", err)
		}
		if json.Unmarshal(content, &d) != nil || !public(d.Issuer) {
			return nil, &problem.Error{What: fmt.Sprintf("the cluster issues tokens as %q, which Entra ID cannot read keys from", d.Issuer),
				Next: "Turn the OIDC issuer on with: az aks update --resource-group GROUP --name CLUSTER --enable-oidc-issuer --enable-workload-identity"}
		}
		issuer = d.Issuer
	}
	return &registration.Federated{Issuer: issuer, Subject: subjectOf(p.Transition)}, nil
}

// public reports whether an issuer may be one that the internet reaches: not a name in the cluster, and not the API server of AKS.
func public(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" {
		return false
	}
	host := u.Hostname()
	return strings.Contains(host, ".") && !strings.HasSuffix(host, ".svc") && !strings.HasSuffix(host, ".cluster.local") && !strings.HasSuffix(host, ".azmk8s.io") && net.ParseIP(host) == nil
}

func subjectOf(t *signin.Transition) string {
	if t == nil || t.Subject == "" {
		return defaultSubject
	}
	return t.Subject
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

// byHand adds the az command with which somebody else can register the client.
func byHand(err error, i signin.Identity) error {
	var known *problem.Error
	if !errors.As(err, &known) || !strings.Contains(azure.Code(err), "Authorization_RequestDenied") {
		return err
	}
	with := *known
	with.Next += ". Or let an administrator register the client, and use --client-id"
	with.Command = CreateCommand(i)
	return &with
}

// enroll makes the app registration complete, and rests the plan on its client: nothing else in it changes.
func (p *Plan) enroll(ctx context.Context, say func(string)) error {
	if p.Identity == nil || !p.App.pending() {
		return nil
	}
	a := p.App
	run := registration.Run{Graph: a.graph, Say: say, Wait: registration.Patience, Keep: func(ctx context.Context, h registration.Held) error {
		content, err := json.Marshal(h)
		if err != nil {
			return err
		}
		a.held = h
		a.secret, err = signin.StoreApp(ctx, p.client, a.secret, content)
		return err
	}}
	id, _, err := run.Apply(ctx, a.wanted, a.found, a.Steps)
	if err != nil {
		return byHand(err, *p.Identity)
	}
	if a.found.Application == nil {
		a.found.Application = &registration.Application{AppID: id}
	}
	a.Steps = nil
	i := *p.Identity
	p.register(&i)
	i.Revision = p.revision(i)
	p.Identity = &i
	// The same answers of the cluster and the same function lead to what was confirmed, with the client in it.
	if p.Transition, err = signin.PlanTransition(ctx, p.view, p.front, p.prior, p.Identity); err != nil {
		return err
	}
	say("asking Entra ID for the client " + id)
	return p.known(ctx)
}

// known waits until the provider knows the client and its secret, which takes a moment after they were created.
func (p *Plan) known(ctx context.Context) error {
	about := newProvider(p.http, *p.Identity)
	return registration.Patiently(ctx, registration.Patience, func() (_ bool, err error) {
		p.provider, err = about.check(ctx)
		return ctx.Err() == nil, err
	})
}
