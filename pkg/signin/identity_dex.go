package signin

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/yamledit"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// viaDex plans a connector of dex, beside the users that dex knows itself.
func (p *planner) viaDex() error {
	if err := p.connector(); err != nil {
		return err
	}
	old, issuer := p.issuer(), p.identity.dexIssuer()
	reason := "dex issues its tokens under the address of the dashboard"
	if p.chain.Product == ViaProxy {
		to := map[string]string{}
		if old != issuer {
			to["oidc_issuer_url"] = strconv.Quote(issuer)
			p.endSessions(to)
		}
		if scope := p.chain.Setting("scope").Value; p.identity.Entra != nil && withoutGroups(scope) != scope {
			to["scope"] = strconv.Quote(withoutGroups(scope))
		}
		if err := p.setFile(to, reason); err != nil {
			return err
		}
	} else {
		if err := p.set(p.chain.Setting("OIDC_PROVIDER"), "OIDC_PROVIDER", issuer, reason); err != nil {
			return err
		}
		if scopes := p.chain.Setting("OIDC_SCOPES"); p.identity.Entra != nil {
			if err := p.set(scopes, "OIDC_SCOPES", withoutGroups(scopes.Value), "groups would need the permission Directory.Read.All, and Kubeflow does not use them"); err != nil {
				return err
			}
		}
	}
	found := p.people(issuer, "", func(map[string]any) {})
	if found == 0 {
		found = p.people(p.dex.Issuer, reason, func(rule map[string]any) {
			rule["issuer"], rule["jwksUri"] = issuer, p.keys(kube.Text(rule, "jwksUri"))
			delete(rule, "jwks")
		})
	}
	p.restart(p.dex.Workload, p.chain.Workload)
	return p.accepts(found, p.dex.Issuer)
}

// connector plans the connector and the secret that it refers to.
func (p *planner) connector() error {
	config, i := p.dex.Config, p.identity
	secret, err := p.dexSecret()
	if err != nil {
		return err
	}
	p.edit(secret, "dex gets the client secret as a variable", func(o *unstructured.Unstructured) { setData(o, i.secretKey(), i.Secret) })
	text := config.Value
	if p.dex.Issuer != i.dexIssuer() {
		if text, err = yamledit.SetValue(text, "issuer", i.dexIssuer()); err != nil {
			return notEditable(err)
		}
	}
	if text, err = yamledit.SetItem(text, "connectors", "id", i.connector()); err != nil {
		return notEditable(err)
	}
	p.edit(config.Object, "dex offers "+i.Title+" beside its own users", func(o *unstructured.Unstructured) { setData(o, config.Key, text) })
	return nil
}

func notEditable(err error) error {
	return &problem.Error{What: "the configuration of dex cannot be edited: " + err.Error(), Next: "Add the connector by hand, as dex documents it", Err: err}
}

// dexSecret returns the Secret that dex gets as its environment.
func (p *planner) dexSecret() (*unstructured.Unstructured, error) {
	for _, from := range kube.Items(kube.TemplateContainer(p.dex.Workload, "dex"), "envFrom") {
		name := kube.Text(from, "secretRef", "name")
		if name == "" || kube.Text(from, "prefix") != "" {
			continue
		}
		o, err := cluster.IgnoreNotFound(p.view.Get(p.ctx, cluster.Ref{APIVersion: "v1", Kind: kube.SecretKind.Kind, Namespace: p.dex.Workload.GetNamespace(), Name: name}))
		if o != nil || err != nil {
			return o, err
		}
	}
	return nil, &problem.Error{What: "dex gets no Secret as its environment, so there is no place for the client secret", Next: "Add envFrom with a secretRef to the container dex, as the releases have it"}
}

// connector returns the entry of dex's connectors.
func (i Identity) connector() map[string]any {
	config := map[string]any{"clientID": i.ClientID, "clientSecret": "$" + i.secretKey(), "redirectURI": i.RedirectURI()}
	kind := "oidc"
	if i.Entra != nil {
		kind = "microsoft"
		config["tenant"] = i.Entra.Tenant
		if c := i.Entra.cloud(); c != Clouds[0] {
			config["apiURL"], config["graphURL"] = c.Login, c.Graph
		}
	} else {
		config["issuer"], config["scopes"] = i.Issuer, []any{"profile", "email"}
		if i.Claim != "email" { // it is no address that a provider could have verified
			config["claimMapping"], config["overrideClaimMapping"], config["insecureSkipEmailVerified"] = map[string]any{"email": i.Claim}, true, true
		}
	}
	return map[string]any{"type": kind, "id": i.Name, "name": i.Title, "config": config}
}

// withoutGroups returns scopes without groups: of Entra ID, dex reads them with a permission that few directories give.
func withoutGroups(scopes string) string {
	all := strings.Fields(scopes)
	if !slices.Contains(all, "groups") {
		return scopes
	}
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "groups" }), " ")
}

// keys returns where the gateway gets dex's keys, which stays within the cluster. The query makes it get them again after dex restarted.
func (p *planner) keys(now string) string {
	if u, err := url.Parse(now); err != nil || now == "" || !near(u.Hostname()) || !p.dex.Serves(now) {
		now = strings.TrimSuffix(p.dex.Issuer, "/") + "/keys"
		if u, err := url.Parse(p.dex.Issuer); err != nil || !near(u.Hostname()) {
			now = "http://" + p.dex.Workload.GetName() + "." + p.dex.Workload.GetNamespace() + ".svc.cluster.local:5556/dex/keys"
		}
	}
	u, err := url.Parse(now)
	if err != nil {
		return now
	}
	query := u.Query()
	query.Set(renewed, p.identity.Name)
	u.RawQuery = query.Encode()
	return u.String()
}

// renewed is a query of the address of dex's keys that dex ignores.
const renewed = "renewed"
