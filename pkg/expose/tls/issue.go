package tls

import (
	"maps"
	"net"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// acmeServer is Let's Encrypt's directory (https://letsencrypt.org/docs/acme-protocol-updates/).
const acmeServer = "https://acme-v02.api.letsencrypt.org/directory"

func certificateRef(version, namespace, name string) cluster.Ref {
	return cluster.Ref{APIVersion: version, Kind: "Certificate", Namespace: namespace, Name: name}
}

// selfSigned plans a private CA, and a certificate of it for the plan's host and the address.
func (t Target) selfSigned(plan *Plan, address string) error {
	names := []any{"localhost"} // for port-forwards
	if net.ParseIP(plan.Host) == nil && plan.Host != "" {
		names = []any{plan.Host, "localhost"}
	}
	dashboard := map[string]any{
		"secretName": t.certificateSecret(), "dnsNames": names,
		"issuerRef": map[string]any{"name": expose.CAIssuer, "kind": "Issuer"},
	}
	if address != "" {
		dashboard["ipAddresses"] = []any{address}
	} else if plan.Host == "" {
		plan.Notes = append(plan.Notes, "The certificate is for the address, and is issued for it once Azure assigns it.")
	}
	t.issue(plan,
		t.object("Issuer", expose.RootName, map[string]any{"selfSigned": map[string]any{}}),
		t.object("Certificate", expose.RootName, map[string]any{
			"secretName": expose.RootName, "commonName": "Kubeflow dashboard", "isCA": true, "duration": "87600h",
			"issuerRef": map[string]any{"name": expose.RootName, "kind": "Issuer"},
		}),
		t.object("Issuer", expose.CAIssuer, map[string]any{"ca": map[string]any{"secretName": expose.RootName}}),
		t.object("Certificate", expose.DashboardCertificate, dashboard),
	)
	return nil
}

// letsEncrypt plans a certificate of Let's Encrypt, and exempts its challenge from authentication: Let's Encrypt requests a page
// over plain HTTP, and cannot authenticate.
func (t Target) letsEncrypt(plan *Plan, source expose.TLS) error {
	if plan.Host == "" || net.ParseIP(plan.Host) != nil {
		return &problem.Error{What: "Let's Encrypt requires a DNS name, and the dashboard has only an address",
			Next: "Set one with --dns-label NAME, or a name of your own DNS zone with --host kubeflow.example.com"}
	}
	acme := map[string]any{
		"server": acmeServer, "privateKeySecretRef": map[string]any{"name": expose.LetsEncryptIssuer},
		"solvers": []any{map[string]any{"http01": map[string]any{"ingress": map[string]any{"class": "istio"}}}},
	}
	if email := source.Email; email != "" {
		acme["email"] = email
	} else if old, _ := t.created("Issuer", expose.LetsEncryptIssuer); old != nil { // set by an earlier run
		if email, _, _ := unstructured.NestedString(old.Object, "spec", "acme", "email"); email != "" {
			acme["email"] = email
		}
	}
	gates, err := t.exemptChallenge()
	if err != nil {
		return err
	}
	plan.Issue = append(plan.Issue, gates...)
	t.issue(plan,
		t.object("Issuer", expose.LetsEncryptIssuer, map[string]any{"acme": acme}),
		t.object("Certificate", expose.DashboardCertificate, map[string]any{
			"secretName": t.certificateSecret(), "dnsNames": []any{plan.Host},
			"issuerRef": map[string]any{"name": expose.LetsEncryptIssuer, "kind": "Issuer"},
		}),
	)
	plan.Notes = append(plan.Notes, "Let's Encrypt requests a page at http://"+plan.Host+"/: the name must resolve to the address, and the address must be reachable from the internet.")
	return nil
}

// issue adds the changes that create or update these objects, and the Certificate to wait for.
func (t Target) issue(plan *Plan, parts ...*unstructured.Unstructured) {
	for _, part := range parts {
		old, known := t.created(part.GetKind(), part.GetName())
		if !known {
			plan.Issue = append(plan.Issue, cluster.Change{Verb: cluster.Apply, After: part})
			continue
		}
		change := cluster.Edit(old, func(o *unstructured.Unstructured) {
			spec, _, _ := unstructured.NestedMap(o.Object, "spec")
			if spec == nil {
				spec = map[string]any{}
			}
			for _, field := range []string{"ipAddresses", "dnsNames", "acme"} {
				delete(spec, field)
			}
			maps.Copy(spec, part.Object["spec"].(map[string]any)) // keep the defaults of cert-manager
			o.Object["spec"] = spec
		})
		if cluster.Diff(change.Before, change.After) != "" {
			plan.Issue = append(plan.Issue, change)
		}
	}
	ref := certificateRef(t.certManager, t.Namespace(), expose.DashboardCertificate)
	plan.Await = &ref
	plan.Secret = secretRef(t.Namespace(), t.certificateSecret())
}

// object returns one of cert-manager's objects, labelled as created by expose.
func (t Target) object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetAPIVersion(t.certManager)
	o.SetKind(kind)
	o.SetNamespace(t.Namespace())
	o.SetName(name)
	o.SetLabels(dashboard.ManagedLabels)
	return o
}

// created returns an object that expose created in the gateway's namespace.
func (t Target) created(kind, name string) (*unstructured.Unstructured, bool) {
	for _, o := range t.Inventory.Objects {
		if o.GetKind() == kind && o.GetName() == name && o.GetNamespace() == t.Namespace() {
			return o, true
		}
	}
	return nil, false
}

// removeIssuers returns the changes that delete the objects of cert-manager, because another Secret is served, or none.
func (t Target) removeIssuers(served string) []cluster.Change {
	var changes []cluster.Change
	for _, o := range t.Inventory.Objects {
		switch o.GetKind() {
		case "Secret":
			if o.GetName() == served { // an old gateway can serve only one Secret
				continue
			}
			fallthrough
		case "Certificate", "Issuer":
			changes = append(changes, cluster.Change{Verb: cluster.Delete, Before: o})
		}
	}
	return changes
}
