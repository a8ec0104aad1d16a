package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure/registration"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// Options say how users are to sign in.
type Options struct {
	Identity *signin.Identity // nil removes what an earlier run added; with an empty URL, it is the dashboard's HTTPS address
	DryRun   kubeflow.DryRun
	HTTP     *http.Client // asks the provider; nil is one that honours the proxy environment

	Graph         registration.Caller // creates the app registration, whose client the identity gets; nil if it names its own
	ClusterIssuer string              // of ServiceAccount tokens, for a workload identity; "" is what the API server names
}

// A Plan is what Apply does.
type Plan struct {
	*signin.Transition
	Identity *signin.Identity // as it will be; nil for a removal
	Removes  *signin.Identity // that an earlier run added, and that goes; nil if there is none
	Rejected error            // why the provider cannot be used as it is, in a dry run
	App      *App             // the app registration of the cluster; nil if there is none, and none is to be created

	client   *cluster.Client
	view     cluster.View
	http     *http.Client
	front    signin.Front
	dryRun   kubeflow.DryRun
	prior    *signin.Record
	secret   *unstructured.Unstructured // the record's
	provider discovery
	answers  bool   // the dashboard answered here before anything was changed
	address  string // the IP of the dashboard's name, if it is known
}

// ErrNothing is the error of a removal where nothing was added.
var ErrNothing = errors.New("no identity provider was added")

// Prepare decides what to change, and asks the provider whether it knows the client. It changes nothing. In a dry run, what the provider
// rejects is no error but the plan's Rejected.
func Prepare(ctx context.Context, client *cluster.Client, o Options) (*Plan, error) {
	view := client.View()
	d, err := dashboard.Read(ctx, view)
	if err != nil {
		return nil, err
	}
	p := &Plan{client: client, view: view, http: o.HTTP, dryRun: o.DryRun, front: signin.Front{Namespace: d.Namespace(), Pods: d.Labels()}}
	if p.prior, p.secret, err = signin.ReadRecord(ctx, view); err != nil {
		return nil, err
	}
	if err := p.readApp(ctx, view); err != nil {
		return nil, err
	}
	if o.Identity == nil && p.prior == nil && p.App == nil {
		return nil, ErrNothing
	}
	if p.prior != nil {
		p.Removes = &p.prior.Identity
	}
	if o.Identity != nil {
		i := *o.Identity
		if i.URL == "" {
			if i.URL, err = addressOf(d); err != nil {
				return nil, err
			}
		}
		i.URL = strings.TrimRight(i.URL, "/")
		if o.Graph != nil {
			if err := p.planApp(ctx, view, o, &i); err != nil {
				return nil, err
			}
		}
		if err := i.Check(); err != nil {
			return nil, err
		}
		i.Revision = p.revision(i)
		p.Identity = &i
		p.address = ipOf(d, i.URL)
	}
	if p.Identity == nil && p.prior == nil { // the client secret alone is there
		p.Transition = &signin.Transition{}
		return p, nil
	}
	if p.Transition, err = signin.PlanTransition(ctx, view, p.front, p.prior, p.Identity); err != nil {
		return nil, err
	}
	if p.Identity != nil {
		if p.provider, err = p.ask(ctx); err == nil {
			err = p.trusted(ctx)
		}
		if err != nil && p.writes() {
			return nil, err
		}
		p.Rejected = err
	}
	return p, nil
}

// ask asks the provider about the client; if that is not registered yet, about itself alone.
func (p *Plan) ask(ctx context.Context) (discovery, error) {
	about := newProvider(p.http, *p.Identity)
	if p.App.pending() {
		return about.discover(ctx)
	}
	return about.check(ctx)
}

// trusted reports whether authservice can discover dex under the dashboard's address: it needs a certificate of a public CA.
func (p *Plan) trusted(ctx context.Context) error {
	if !slices.ContainsFunc(p.Targets, func(t signin.Target) bool { return t.Want.GetName() == "oidc-authservice-parameters" }) {
		return nil
	}
	answer := probe.Do(ctx, probe.Request{URL: p.Identity.URL + "/dex/.well-known/openid-configuration", Address: p.address})
	switch {
	case !strings.HasPrefix(p.Identity.URL, "https://"):
		return &problem.Error{What: "authservice cannot reach " + p.Identity.URL + " from the cluster", Next: "Configure HTTPS first", Command: "kubectl kubeflow expose --lb --tls --host NAME"}
	case answer.Status != http.StatusOK:
		return &problem.Error{What: fmt.Sprintf("authservice has to reach dex at %s, which %s", p.Identity.URL, answer.Message), Next: "Check the address with: kubectl kubeflow expose"}
	case answer.Certificate == nil || answer.Certificate.Trusted != probe.TrustedByAll:
		return &problem.Error{What: "authservice would not trust the certificate of " + p.Identity.URL, Next: "Use one of a public CA", Command: "kubectl kubeflow expose --lb --tls=letsencrypt --host NAME --email ADDRESS"}
	}
	return nil
}

// Settled reports whether the record of the last run is complete, so that a plan without changes has nothing to do.
func (p *Plan) Settled() bool {
	return p.Identity != nil && !p.App.pending() && p.prior != nil && p.prior.Earlier == nil && p.prior.Identity.Same(*p.Identity)
}

func (p *Plan) writes() bool { return p.dryRun == "" || p.dryRun == kubeflow.DryRunNone }

// revision returns the revision of an identity: that of the record if it is the same.
func (p *Plan) revision(i signin.Identity) string {
	if p.prior != nil {
		i.Revision = p.prior.Identity.Revision
		if i.Same(p.prior.Identity) {
			return i.Revision
		}
	}
	return signin.NewSecret()[:8]
}

// addressOf returns the dashboard's HTTPS address.
func addressOf(d dashboard.Dashboard) (string, error) {
	for _, e := range d.Endpoints() {
		if e.Outside() && strings.HasPrefix(e.URL, "https://") {
			return e.URL, nil
		}
	}
	return "", &problem.Error{What: "the dashboard has no HTTPS address, to which a provider could send signed-in users",
		Next: "Add one with: kubectl kubeflow expose --lb --tls --host NAME. Or specify how users open it, for example --url http://localhost:8080 for a port-forward"}
}

// ipOf returns the IP of the endpoint with an address, "" if it is not known.
func ipOf(d dashboard.Dashboard, address string) string {
	for _, e := range d.Endpoints() {
		if e.URL != "" && strings.TrimRight(e.URL, "/") == address {
			return e.Address
		}
	}
	return ""
}

// DryRunServer lets the server check the changes. Nothing is changed.
func (p *Plan) DryRunServer(ctx context.Context) error {
	for _, change := range p.Changes() {
		if _, err := p.client.Do(ctx, change, cluster.Options{Manager: signin.Manager, DryRun: true}); err != nil {
			return err
		}
	}
	return nil
}

// defaultSubject is the ServiceAccount of oauth2-proxy in every release.
const defaultSubject = "system:serviceaccount:oauth2-proxy:oauth2-proxy"

// Commands returns the az commands that register the client with Entra ID for this plan: the redirect URI, and what a workload identity
// needs. None for another provider.
func Commands(i signin.Identity, subject string) []string {
	if i.Entra == nil {
		return nil
	}
	commands := []string{escape.Commandf("az ad app update --id %s --web-redirect-uris %s", i.ClientID, i.RedirectURI())}
	if i.Entra.WorkloadIdentity {
		if subject == "" {
			subject = defaultSubject
		}
		credential := fmt.Sprintf(`{"name":"kubeflow","issuer":"ISSUER","subject":%q,"audiences":["api://AzureADTokenExchange"]}`, subject)
		commands = append(commands,
			"az aks show --resource-group GROUP --name CLUSTER --query oidcIssuerProfile.issuerUrl --output tsv  # ISSUER",
			escape.Commandf("az ad app federated-credential create --id %s --parameters %s", i.ClientID, credential))
	} else {
		commands = append(commands, escape.Commandf("az ad app credential reset --id %s --append --query password --output tsv > FILE", i.ClientID))
	}
	// openid, profile, email and User.Read of Microsoft Graph, to which a user can agree
	return append(commands, escape.Commandf("az ad app permission add --id %s --api 00000003-0000-0000-c000-000000000000 --api-permissions "+
		"37f7f235-527c-4136-accd-4a02d197296e=Scope 14dad69e-099b-42c9-810b-d002981feec1=Scope 64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0=Scope e1fe6dd8-ba31-4d61-89e7-88639da4683d=Scope", i.ClientID))
}

// CreateCommand returns the az command that registers a client for an identity and prints its ID.
func CreateCommand(i signin.Identity) string {
	return "az ad app create --display-name kubeflow --sign-in-audience AzureADMyOrg --web-redirect-uris " + escape.Word(i.RedirectURI()) + " --query appId --output tsv"
}

// patience is how long the dashboard may take to answer once its pods run with new settings.
const patience = 30 * time.Second

// sameEndpoint reports whether two addresses are of one page, whatever their queries.
func sameEndpoint(a, b string) bool {
	first, err := url.Parse(a)
	second, err2 := url.Parse(b)
	return err == nil && err2 == nil && first.Host == second.Host && strings.TrimSuffix(first.Path, "/") == strings.TrimSuffix(second.Path, "/")
}
