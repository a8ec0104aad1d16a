package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// podNamespace is the variable by which dex knows its namespace.
const podNamespace = "KUBERNETES_POD_NAMESPACE"

// judgeDex looks at dex alone: whether it can find its storage, and where its connectors send users back to.
func (c chain) judgeDex(ctx context.Context) ([]doctor.Finding, error) {
	var findings []doctor.Finding
	u, err := url.Parse(c.dex.Issuer)
	if err == nil && c.dex.Issuer != "" {
		callback := strings.TrimSuffix(u.Path, "/") + "/callback"
		for _, connector := range c.dex.Connectors {
			back := kube.Text(connector, "config", "redirectURI")
			to, err := url.Parse(back)
			if back == "" || strings.ContainsAny(back, "$*") || strings.Contains(back, "redacted-") || err == nil && to.Path == callback {
				continue
			}
			findings = append(findings, finding(c.dex.Config, fmt.Sprintf("dex's connector %s sends users back to %s, and dex answers at %s", kube.Text(connector, "id"), back, callback),
				"Users of that connector end on an error page after they signed in.", "Set redirectURI to the address of the dashboard followed by "+callback+", here and where the connector is registered."))
		}
	}
	old, err := c.needsNamespace(ctx)
	return append(findings, old...), err
}

// needsNamespace finds a dex up to 2.28 that reads its namespace from its token, which has another form from Kubernetes 1.21 on.
func (c chain) needsNamespace(ctx context.Context) ([]doctor.Finding, error) {
	container := kube.TemplateContainer(c.dex.Workload, "dex")
	image := kube.ParseImage(kube.Text(container, "image"))
	v, err := version.ParseGeneric(strings.TrimPrefix(image.Tag, "v"))
	if err != nil || !strings.Contains(image.Repository, "dex") || !v.LessThan(version.MustParseGeneric("2.29.0")) || c.dex.Storage != "kubernetes" ||
		slices.ContainsFunc(kube.Items(container, "env"), func(s map[string]any) bool { return s["name"] == podNamespace }) {
		return nil, nil
	}
	severity := doctor.Warning // of manifests, whose cluster is not known
	var unknowable *cluster.ErrUnknowable
	server, err := c.Version(ctx)
	switch {
	case errors.As(err, &unknowable):
	case err != nil:
		return nil, err
	default:
		if k, err := version.ParseGeneric(server.GitVersion); err != nil || k.LessThan(version.MustParseGeneric("1.21.0")) {
			return nil, nil
		}
		severity = doctor.Error
	}
	return []doctor.Finding{{
		Severity:    severity,
		About:       doctor.Subject{Ref: cluster.RefOf(c.dex.Workload), Field: "spec.template.spec.containers"},
		Message:     fmt.Sprintf("dex %s needs %s from Kubernetes 1.21 on", image.Tag, podNamespace),
		Consequence: cannotSignIn + " dex ends with: jwt claim \"kubernetes.io/serviceaccount/namespace\" not found.",
		Cause:       "It reads its namespace from its service account token, which has another form since Kubernetes 1.21.",
		Fix: c.withKeys(&doctor.Fix{Title: "Tell dex its namespace", Impact: doctor.RestartsPods, Changes: []cluster.Change{
			cluster.Edit(c.dex.Workload, func(o *unstructured.Unstructured) {
				container := kube.TemplateContainer(o, "dex")
				variables, _ := container["env"].([]any)
				container["env"] = append(variables, map[string]any{"name": podNamespace,
					"valueFrom": map[string]any{"fieldRef": map[string]any{"apiVersion": "v1", "fieldPath": "metadata.namespace"}}})
			}),
		}}),
	}}, nil
}

// judgeClient compares the client of the authenticator with those that dex knows.
func (c chain) judgeClient() []doctor.Finding {
	id, secret := readable(c.clientID()), c.secret()
	if !id.Known || !c.dex.Sure() || len(c.dex.Clients) == 0 {
		return nil
	}
	client, what := c.dex.Client(id.Value), "client secrets"
	if client == nil {
		if len(c.dex.Clients) > 1 {
			return []doctor.Finding{finding(id, fmt.Sprintf("dex does not know the client %q of %s", id.Value, c.Product), cannotSignIn,
				"Set the ID and the secret of one of dex's staticClients, or add the client there.")}
		}
		client, what = &c.dex.Clients[0], "client IDs"
	} else if !secret.Known || !client.Secret.Known || secret.Value == client.Secret.Value {
		return nil
	}
	f := finding(secret, fmt.Sprintf("dex and %s have different %s", c.Product, what),
		cannotSignIn+` dex answers "Invalid client credentials" or "Invalid client_id".`, "Give "+c.Product+" the client that dex knows.")
	f.Cause, f.Command = "Only one of the two was changed.", ""
	if what == "client IDs" {
		f = withSubject(f, id)
	}
	f.Fix = c.giveClient(id, secret, client)
	return []doctor.Finding{f}
}

func withSubject(f doctor.Finding, s dashboard.Setting) doctor.Finding {
	if s.Object != nil {
		f.About = doctor.Subject{Ref: cluster.RefOf(s.Object), Field: s.Field}
	}
	return f
}

// giveClient returns the fix that gives the authenticator dex's client; nil where that would change more than one Secret of its own.
func (c chain) giveClient(id, secret dashboard.Setting, client *dashboard.DexClient) *doctor.Fix {
	if !client.ID.Known || !client.Secret.Known || client.ID.Value == "" || client.Secret.Value == "" || !c.ownSecret(secret) || !c.ownSecret(id) ||
		cluster.RefOf(id.Object) != cluster.RefOf(secret.Object) {
		return nil
	}
	return &doctor.Fix{Title: "Give " + c.Product + " the client that dex knows", Impact: doctor.RestartsPods, Changes: []cluster.Change{
		cluster.Edit(secret.Object, func(o *unstructured.Unstructured) {
			setSecretValue(o, id.Key, client.ID.Value)
			setSecretValue(o, secret.Key, client.Secret.Value)
		}),
		doctor.RestartOf(c.Workload),
	}}
}

// ownSecret reports whether a setting is in a Secret beside the authenticator, which a fix may change while the provider is the
// cluster's own dex.
func (c chain) ownSecret(s dashboard.Setting) bool {
	return c.ownDex() && s.Object != nil && s.Object.GetKind() == "Secret" && s.Key != "" && s.Object.GetNamespace() == c.Workload.GetNamespace() &&
		slices.Contains(authenticatorNamespaces, s.Object.GetNamespace()) && kube.Map(s.Object.Object, "stringData") == nil
}

// A redirect is where the provider is asked to send users back to.
type redirect struct {
	dashboard.Setting
	uri    string // as it is sent; of a request: only its path
	byHost bool   // the scheme and host are those of the request
	own    bool   // the path is the one at which the authenticator answers
}

// redirect returns what the authenticator asks the provider for.
func (c chain) redirect() redirect {
	if c.proxy() {
		r := redirect{Setting: readable(c.Setting("redirect_url"))}
		callback := "/oauth2/callback"
		if prefix := c.Setting("proxy_prefix"); prefix.Value != "" {
			callback = strings.TrimSuffix(prefix.Value, "/") + "/callback"
		}
		r.uri = r.Value
		if r.uri == "" {
			r.uri = callback
		}
		u, err := url.Parse(r.uri)
		r.own = err == nil && u.Path == callback
		r.byHost = err == nil && u.Host == "" && !on(c.Setting("relative_redirect_url"))
		return r
	}
	r := redirect{Setting: readable(c.Setting("REDIRECT_URL"))}
	prefix := "/authservice/"
	if s := c.Setting("AUTHSERVICE_URL_PREFIX"); s.Value != "" {
		prefix = s.Value
	}
	if r.uri = r.Value; r.uri == "" {
		r.uri = strings.TrimSuffix(prefix, "/") + "/oidc/callback"
	}
	u, err := url.Parse(r.uri)
	r.own = err == nil && (u.Path == "/login/oidc" || u.Path == strings.TrimSuffix(prefix, "/")+"/oidc/callback")
	return r
}

// judgeRedirect compares the redirect of the authenticator with those that dex allows its client.
func (c chain) judgeRedirect() []doctor.Finding {
	r, id := c.redirect(), readable(c.clientID())
	if !r.Known || !id.Known || !c.dex.Sure() {
		return nil
	}
	client := c.dex.Client(id.Value)
	if client == nil && len(c.dex.Clients) == 1 {
		client = &c.dex.Clients[0]
	}
	if client == nil || slices.ContainsFunc(client.RedirectURIs, func(allowed string) bool { return r.matches(allowed) }) {
		return nil
	}
	where, advice := r.Setting, "Set it to one that dex allows."
	switch {
	case r.byHost && slices.Contains(client.RedirectURIs, r.uri):
		where, advice = c.Setting("relative_redirect_url"), "Set relative_redirect_url = true, or a redirect_url with the dashboard's address, here and in dex."
		if where.Object == c.Workload {
			where = r.Setting
		}
	case r.own:
		where, advice = c.dex.Config, fmt.Sprintf("Add %s to redirectURIs of the client in dex's configuration, and restart dex.", r)
	}
	return []doctor.Finding{finding(where, fmt.Sprintf("%s asks dex to send users back to %s, and dex allows %s", c.Product, r, text.Names(client.RedirectURIs, text.Most, func(s string) string { return s })),
		cannotSignIn+` dex answers "Unregistered redirect_uri".`, advice)}
}

func (r redirect) matches(allowed string) bool {
	if !r.byHost {
		return allowed == r.uri || strings.Contains(allowed, "redacted-")
	}
	u, err := url.Parse(allowed)
	return err == nil && u.Host != "" && u.Path == r.uri
}

func (r redirect) String() string {
	if r.byHost {
		return "https://HOST" + r.uri
	}
	return r.uri
}

// judgeIssuer compares the issuer that dex names with the one that the authenticator expects. The one that the gateway knows is right.
func (c chain) judgeIssuer() []doctor.Finding {
	issuer := c.issuer()
	if !c.dex.Known || !issuer.Known || c.dex.Issuer == "" || strings.Contains(c.dex.Issuer, "redacted-") || issuer.Value == c.dex.Issuer {
		return nil
	}
	where := issuer
	if c.accepted(issuer.Value) && !c.accepted(c.dex.Issuer) {
		where = c.dex.Config
	}
	return []doctor.Finding{finding(where, fmt.Sprintf(issuerMessage, c.dex.Issuer, c.Product, issuer.Value), issuerImpact, issuerAdvice)}
}

func (c chain) accepted(issuer string) bool {
	return slices.ContainsFunc(c.jwtRules(), func(r jwtRule) bool { return r.issuer == issuer })
}

const (
	issuerMessage = "dex issues tokens as %s, and %s expects %s"
	issuerImpact  = "Signed-in users are not recognised."
	issuerAdvice  = "Use the same name in both: the one under which a user's browser reaches dex."
)
