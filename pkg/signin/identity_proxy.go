package signin

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// viaProxy plans that oauth2-proxy asks the provider itself.
func (p *planner) viaProxy() error {
	i, old := p.identity, p.issuer()
	settings := i.proxySettings()
	p.endSessions(settings)
	if err := p.setFile(settings, "oauth2-proxy asks "+i.Title+" itself, with absolute redirects"); err != nil {
		return err
	}
	if err := p.set(p.chain.Setting("client_id"), "client_id", i.ClientID, "the client that is registered with the provider"); err != nil {
		return err
	}
	if i.Secret != "" {
		if err := p.set(p.chain.Setting("client_secret"), "client_secret", i.Secret, "the client that is registered with the provider"); err != nil {
			return err
		}
	}
	if err := p.turnOff("ssl_insecure_skip_verify", "the certificate of the provider is verified"); err != nil {
		return err
	}
	if strings.HasPrefix(i.URL, "http://") {
		if err := p.turnOff("cookie_secure", "browsers do not send Secure cookies over plain HTTP"); err != nil {
			return err
		}
	}
	found := p.people(i.Issuer, "", func(map[string]any) {})
	if found == 0 || old == i.Issuer {
		found = p.people(old, "the gateway accepts tokens of the provider for this client alone", i.accept)
	}
	p.restart(p.chain.Workload)
	if err := p.accepts(found, old); err != nil {
		return err
	}
	if i.Entra != nil && i.Entra.WorkloadIdentity {
		if err := p.workloadIdentity(); err != nil {
			return err
		}
	}
	return p.headers()
}

// turnOff plans that a setting is not on.
func (p *planner) turnOff(name, reason string) error {
	s := p.chain.Setting(name)
	if !strings.EqualFold(s.Value, "true") && s.Value != "1" {
		return nil
	}
	return p.set(s, name, "false", reason)
}

// proxySettings are what the file of oauth2-proxy says.
func (i Identity) proxySettings() map[string]string {
	to := map[string]string{
		"provider": `"oidc"`, "oidc_issuer_url": strconv.Quote(i.Issuer), "scope": `"openid profile email"`, "skip_oidc_discovery": "false",
		"login_url": "", "redeem_url": "", "oidc_jwks_url": "", // of dex: they are discovered
		"redirect_url": strconv.Quote(i.RedirectURI()), "relative_redirect_url": "false",
		"provider_display_name": strconv.Quote(i.Title),
		"prompt":                "",      // none, which is for dex, lets nobody in who has no session at the provider
		"cookie_refresh":        `"50m"`, // before the tokens expire, which the gateway checks
	}
	if i.Claim != "email" {
		to["oidc_email_claim"] = strconv.Quote(i.Claim)
	}
	if i.Entra != nil {
		to["scope"], to["prompt"] = `"openid profile email offline_access"`, `"select_account"`
		if i.Entra.WorkloadIdentity {
			to["provider"], to["entra_id_federated_token_auth"] = `"entra-id"`, "true"
			to["entra_id_allowed_tenants"] = "[ " + strconv.Quote(i.Entra.Tenant) + " ]"
		}
	}
	return to
}

// accept makes an entry of a RequestAuthentication one for the tokens that the provider issues to this client.
func (i Identity) accept(rule map[string]any) {
	rule["issuer"], rule["audiences"] = i.Issuer, []any{i.ClientID}
	delete(rule, "jwksUri") // istiod discovers it
	delete(rule, "jwks")
	for _, header := range kube.Items(rule, "outputClaimToHeaders") {
		if header["header"] == userHeader {
			header["claim"] = i.Claim
		}
	}
}

const userHeader = "kubeflow-userid"

// federated is the first oauth2-proxy with workload identities.
var federated = version.MustParseGeneric("7.8.0")

const (
	identityAnnotation = "azure.workload.identity/client-id"
	identityLabel      = "azure.workload.identity/use"
)

// workloadIdentity plans that oauth2-proxy proves who it is with a token of its ServiceAccount.
func (p *planner) workloadIdentity() error {
	workload := p.chain.Workload
	for _, c := range kube.Items(workload.Object, "spec", "template", "spec", "containers") {
		image := kube.ParseImage(kube.Text(c, "image"))
		if v, err := version.ParseGeneric(strings.TrimPrefix(image.Tag, "v")); err == nil && strings.Contains(image.Repository, ViaProxy) && v.LessThan(federated) {
			return &problem.Error{What: fmt.Sprintf("oauth2-proxy %s cannot sign in with a workload identity, which it can from %s on", image.Tag, federated), Next: "Use --client-secret-file, or upgrade Kubeflow first"}
		}
	}
	name := kube.Text(workload.Object, "spec", "template", "spec", "serviceAccountName")
	if name == "" {
		name = "default"
	}
	account, err := cluster.IgnoreNotFound(p.view.Get(p.ctx, cluster.Ref{APIVersion: "v1", Kind: kube.ServiceAccountKind.Kind, Namespace: workload.GetNamespace(), Name: name}))
	if err != nil {
		return err
	}
	if account == nil {
		return &problem.Error{What: fmt.Sprintf("oauth2-proxy has no ServiceAccount %s/%s", workload.GetNamespace(), name), Next: "Install oauth2-proxy again: kubectl kubeflow install --component oauth2-proxy"}
	}
	p.plan.Subject = "system:serviceaccount:" + workload.GetNamespace() + ":" + name
	p.edit(account, "Entra ID knows the workload by its client ID", func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, p.identity.ClientID, "metadata", "annotations", identityAnnotation)
	})
	p.edit(workload, "its pods get a token for Entra ID", func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, "true", "spec", "template", "metadata", "labels", identityLabel)
	})
	return nil
}

// webApps are the web applications that gunicorn serves.
var webApps = regexp.MustCompile(`(^|/)(jupyter|volumes|tensorboards)-web-app$`)

const gunicorn = "GUNICORN_CMD_ARGS"

// headers plans that the web applications take large tokens: gunicorn answers 431 to a header of more than 8 kB.
func (p *planner) headers() error {
	deployments, err := p.view.List(p.ctx, kube.DeploymentKind, cluster.Scope{Namespace: "kubeflow"})
	if err != nil {
		return err
	}
	for _, d := range deployments {
		p.edit(d, "tokens of the provider may be larger than the headers that gunicorn takes", func(o *unstructured.Unstructured) {
			for _, c := range kube.Items(o.Object, "spec", "template", "spec", "containers") {
				variables, _ := c["env"].([]any)
				set := slices.ContainsFunc(kube.Items(c, "env"), func(v map[string]any) bool { return v["name"] == gunicorn })
				if webApps.MatchString(kube.ParseImage(kube.Text(c, "image")).Repository) && !set {
					c["env"] = append(variables, map[string]any{"name": gunicorn, "value": "--limit-request-field_size 32000"})
				}
			}
		})
	}
	return nil
}
