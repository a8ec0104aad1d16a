package expose

import (
	"maps"
	"net"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// DashboardCertificate is the name of the Certificate that expose makes, and of its Secret.
const DashboardCertificate = "kubectl-kubeflow-dashboard"

// The objects around it. An authority of the dashboard's own has a self-signed root, so that visitors who trust the root
// go on trusting when the certificate is renewed.
const (
	rootName          = "kubectl-kubeflow-root" // an Issuer, the Certificate it signs, and that one's Secret
	authorityIssuer   = "kubectl-kubeflow-authority"
	letsEncryptIssuer = "kubectl-kubeflow-letsencrypt"
)

// acmeServer is Let's Encrypt's directory (https://letsencrypt.org/docs/acme-protocol-updates/).
const acmeServer = "https://acme-v02.api.letsencrypt.org/directory"

func certificateRef(version, namespace, name string) cluster.Ref {
	return cluster.Ref{APIVersion: version, Kind: "Certificate", Namespace: namespace, Name: name}
}

// selfSigned plans an authority and a certificate of it for the plan's host and the address.
func (t Target) selfSigned(plan *TLSPlan, address string) error {
	names := []any{"localhost"} // for port-forwards
	if net.ParseIP(plan.Host) == nil && plan.Host != "" {
		names = []any{plan.Host, "localhost"}
	}
	dashboard := map[string]any{
		"secretName": t.certificateSecret(), "dnsNames": names,
		"issuerRef": map[string]any{"name": authorityIssuer, "kind": "Issuer"},
	}
	if address != "" {
		dashboard["ipAddresses"] = []any{address}
	} else if plan.Host == "" {
		plan.Notes = append(plan.Notes, "The certificate is for the address, which joins it when Azure gives it.")
	}
	t.issue(plan,
		t.part("Issuer", rootName, map[string]any{"selfSigned": map[string]any{}}),
		t.part("Certificate", rootName, map[string]any{
			"secretName": rootName, "commonName": "Kubeflow dashboard", "isCA": true, "duration": "87600h",
			"issuerRef": map[string]any{"name": rootName, "kind": "Issuer"},
		}),
		t.part("Issuer", authorityIssuer, map[string]any{"ca": map[string]any{"secretName": rootName}}),
		t.part("Certificate", DashboardCertificate, dashboard),
	)
	return nil
}

// letsEncrypt plans a certificate of Let's Encrypt, and lets its challenge past the sign-in: Let's Encrypt asks for a page
// over plain HTTP, and cannot sign in.
func (t Target) letsEncrypt(plan *TLSPlan, wish TLS) error {
	if plan.Host == "" || net.ParseIP(plan.Host) != nil {
		return &cluster.Problem{What: "Let's Encrypt certifies a name, and the dashboard has only an address",
			Next: "Give it one with --dns-label NAME, or say which of your own leads there with --host kubeflow.example.com"}
	}
	acme := map[string]any{
		"server": acmeServer, "privateKeySecretRef": map[string]any{"name": letsEncryptIssuer},
		"solvers": []any{map[string]any{"http01": map[string]any{"ingress": map[string]any{"class": "istio"}}}},
	}
	if email := wish.Email; email != "" {
		acme["email"] = email
	} else if old, _ := t.madeNamed("Issuer", letsEncryptIssuer); old != nil { // as an earlier run was told
		if email, _, _ := unstructured.NestedString(old.Object, "spec", "acme", "email"); email != "" {
			acme["email"] = email
		}
	}
	gates, err := t.letChallengeIn()
	if err != nil {
		return err
	}
	plan.Issue = append(plan.Issue, gates...)
	t.issue(plan,
		t.part("Issuer", letsEncryptIssuer, map[string]any{"acme": acme}),
		t.part("Certificate", DashboardCertificate, map[string]any{
			"secretName": t.certificateSecret(), "dnsNames": []any{plan.Host},
			"issuerRef": map[string]any{"name": letsEncryptIssuer, "kind": "Issuer"},
		}),
	)
	plan.Notes = append(plan.Notes, "Let's Encrypt asks for a page at http://"+plan.Host+"/: the name has to lead to the address, and the address has to let the internet in.")
	return nil
}

// issue adds the changes that make these objects what they should be, and what to wait for.
func (t Target) issue(plan *TLSPlan, parts ...*unstructured.Unstructured) {
	for _, part := range parts {
		old, known := t.madeNamed(part.GetKind(), part.GetName())
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
			maps.Copy(spec, part.Object["spec"].(map[string]any)) // what cert-manager filled in stays
			o.Object["spec"] = spec
		})
		if cluster.Diff(change.Before, change.After) != "" {
			plan.Issue = append(plan.Issue, change)
		}
	}
	ref := certificateRef(t.tls.certManager, t.Namespace(), DashboardCertificate)
	plan.Await = &ref
	plan.Secret = secretRef(t.Namespace(), t.certificateSecret())
}

// part returns one of cert-manager's objects, marked as made by expose.
func (t Target) part(kind, name string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetAPIVersion(t.tls.certManager)
	o.SetKind(kind)
	o.SetNamespace(t.Namespace())
	o.SetName(name)
	o.SetLabels(dashboard.Marks)
	return o
}

// madeNamed returns an object that expose made in the gateway's namespace.
func (t Target) madeNamed(kind, name string) (*unstructured.Unstructured, bool) {
	for _, o := range t.Made.Objects {
		if o.GetKind() == kind && o.GetName() == name && o.GetNamespace() == t.Namespace() {
			return o, true
		}
	}
	return nil, false
}

// withoutIssuers returns the changes that take cert-manager's part away: the certificate of another Secret is served, or none.
func (t Target) withoutIssuers(served string) []cluster.Change {
	var changes []cluster.Change
	for _, o := range t.Made.Objects {
		switch o.GetKind() {
		case "Secret":
			if o.GetName() == served { // an old gateway has but one Secret to serve from
				continue
			}
			fallthrough
		case "Certificate", "Issuer":
			changes = append(changes, cluster.Change{Verb: cluster.Delete, Before: o})
		}
	}
	return changes
}
