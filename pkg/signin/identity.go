package signin

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// What signs users in with another provider.
const (
	ViaDex   = "dex"          // dex asks the provider, and keeps its own users
	ViaProxy = "oauth2-proxy" // oauth2-proxy asks the provider itself, and dex is not used
)

// An Identity is another identity provider that users are to sign in with, and how.
type Identity struct {
	Name     string `json:"name"`            // of the connector, in lower case: entra
	Title    string `json:"title"`           // what users read: Microsoft Entra ID
	Issuer   string `json:"issuer"`          // as its discovery document names it
	ClientID string `json:"clientID"`        // of the app registration
	Secret   string `json:"secret"`          // of the client; "" with a workload identity
	Via      string `json:"via"`             // [ViaDex] or [ViaProxy]
	URL      string `json:"url"`             // of the dashboard, as users open it: https://kubeflow.example.com
	Claim    string `json:"claim"`           // that becomes the user's name
	Entra    *Entra `json:"entra,omitempty"` // nil for other providers

	Revision string `json:"revision"` // changes with any of these, so that the pods which read them are replaced
}

// An Entra is what only Microsoft Entra ID has.
type Entra struct {
	Tenant           string `json:"tenant"` // its ID
	Cloud            string `json:"cloud"`  // one of [Clouds]
	WorkloadIdentity bool   `json:"workloadIdentity,omitempty"`
}

// A Cloud is one of Azure's clouds, by the name that az gives it.
type Cloud struct{ Name, Login, Graph string }

// Clouds are the clouds with their addresses, the public one first.
var Clouds = []Cloud{
	{"AzureCloud", "https://login.microsoftonline.com", "https://graph.microsoft.com"},
	{"AzureChinaCloud", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"},
	{"AzureUSGovernment", "https://login.microsoftonline.us", "https://graph.microsoft.us"},
}

func (e Entra) cloud() Cloud {
	for _, c := range Clouds {
		if c.Name == e.Cloud {
			return c
		}
	}
	return Clouds[0]
}

// NewEntra returns the identity of a tenant of Microsoft Entra ID. Users have their principal name, which is always there and which only
// the tenant's administrators set.
func NewEntra(e Entra, clientID, secret, via, address string) Identity {
	return Identity{Name: "entra", Title: "Microsoft Entra ID", Issuer: e.cloud().Login + "/" + e.Tenant + "/v2.0", ClientID: clientID, Secret: secret,
		Via: via, URL: address, Claim: principalName, Entra: &e}
}

// principalName is the claim of Entra ID with the principal name of a user.
const principalName = "preferred_username"

var (
	connectorName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)
	guid          = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	printable     = regexp.MustCompile(`^[\x21-\x7e]+$`)
	claimName     = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
)

// Check returns what is wrong with an identity itself, as a *problem.Error.
func (i Identity) Check() error {
	usage := func(next, what string, args ...any) error {
		return &problem.Error{Usage: true, What: fmt.Sprintf(what, args...), Next: next}
	}
	switch {
	case i.Via != ViaDex && i.Via != ViaProxy:
		return usage("Choose "+ViaDex+", which keeps dex's own users, or "+ViaProxy, "--via %s is not known", i.Via)
	case !connectorName.MatchString(i.Name) || i.Name == "local":
		return usage("Use lower-case letters, digits and '-', at most 32", "%q cannot be the name of a provider", i.Name)
	case !printable.MatchString(i.ClientID) || strings.ContainsAny(i.ClientID, "\"'$\\"):
		return usage("Specify the ID of the app registration with --client-id", "%q is not a client ID", i.ClientID)
	case i.Entra != nil && !guid.MatchString(i.Entra.Tenant):
		return usage("See the tenant's ID with: az account show --query tenantId", "%q is not the ID of a tenant: users of every tenant could sign in", i.Entra.Tenant)
	case i.Entra != nil && !slices.ContainsFunc(Clouds, func(c Cloud) bool { return c.Name == i.Entra.Cloud }):
		return usage("Use the name that Azure gives it, such as "+Clouds[0].Name, "there is no cloud %q", i.Entra.Cloud)
	case i.Entra != nil && i.Via == ViaDex && i.Claim != principalName:
		return usage("Leave out --user-claim, or use --via oauth2-proxy", "dex takes the principal name of users of Entra ID")
	case i.Entra != nil && i.Entra.WorkloadIdentity && i.Via == ViaDex:
		return usage("Use --client-secret-file, or --via oauth2-proxy", "the dex of this release cannot sign in with a workload identity")
	case i.Entra != nil && i.Entra.WorkloadIdentity && i.Secret != "":
		return usage("Leave out one of the two", "a workload identity needs no client secret")
	case (i.Entra == nil || !i.Entra.WorkloadIdentity) && i.Secret == "":
		return usage("Specify it with --client-secret-file", "the provider needs a client secret")
	case i.Secret != "" && (!printable.MatchString(i.Secret) || strings.ContainsAny(i.Secret, "\"\\")):
		return usage("Write the secret alone to the file: its value and not its ID", "the client secret is not one line of printable characters")
	case !claimName.MatchString(i.Claim):
		return usage("For example: --user-claim email", "%q cannot be the name of a claim", i.Claim)
	}
	if u, err := url.Parse(i.Issuer); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(i.Issuer, "\"' \\$") ||
		u.Scheme != "https" && (u.Scheme != "http" || !near(u.Hostname())) {
		return usage("For example: --issuer https://accounts.google.com", "%q is not the address of an issuer, which begins with https://", i.Issuer)
	}
	u, err := url.Parse(i.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || strings.ContainsAny(i.URL, "\"' \\$"):
		return usage("For example: --url https://kubeflow.example.com", "%q is not the address of a dashboard", i.URL)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return &problem.Error{What: fmt.Sprintf("%s speaks plain HTTP, and providers send signed-in users only to https or to localhost", i.URL),
			Next: "Configure HTTPS first", Command: "kubectl kubeflow expose --lb --tls --host NAME"}
	}
	return nil
}

// near reports whether a host is this machine or within the cluster, where plain HTTP stays.
func near(host string) bool {
	return loopback(host) || strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".svc.cluster.local")
}

func loopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

// origin is the dashboard's address without a path.
func (i Identity) origin() string { return strings.TrimRight(i.URL, "/") }

// dexIssuer is the issuer of dex under the dashboard's address: connectors compare their redirect URI with it.
func (i Identity) dexIssuer() string { return i.origin() + "/dex" }

// RedirectURI is where the provider sends signed-in users, which has to be registered there.
func (i Identity) RedirectURI() string {
	if i.Via == ViaDex {
		return i.dexIssuer() + "/callback"
	}
	return i.origin() + "/oauth2/callback"
}

// secretKey is the variable by which dex gets the client secret.
func (i Identity) secretKey() string {
	return "DEX_CONNECTOR_" + strings.ToUpper(strings.ReplaceAll(i.Name, "-", "_")) + "_SECRET"
}

// GraphScope is the scope of a token of the client itself, which a client with a valid secret gets.
func (e Entra) GraphScope() string { return e.Graph() + "/.default" }

// Graph is the address of Microsoft Graph.
func (e Entra) Graph() string { return e.cloud().Graph }

// Same reports whether two identities are the same, so that nothing has to change between them.
func (i Identity) Same(o Identity) bool {
	if (i.Entra == nil) != (o.Entra == nil) || i.Entra != nil && *i.Entra != *o.Entra {
		return false
	}
	i.Entra, o.Entra = nil, nil
	return i == o
}
