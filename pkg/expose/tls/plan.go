package tls

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Plan is what to change so that the gateway serves HTTPS: Issue creates the certificate, and Serve uses it once it
// exists. Both are empty if nothing has to change.
type Plan struct {
	Host   string // the name or address that the certificate is for; "" until Azure assigns the address
	Issue  []cluster.Change
	Await  *cluster.Ref // the Certificate to wait for between the two; nil when there is none
	Secret cluster.Ref  // with the certificate
	Serve  []cluster.Change
	Notes  []string
}

// Changes returns all that the plan changes, in its order.
func (p Plan) Changes() []cluster.Change { return slices.Concat(p.Issue, p.Serve) }

// A Target is a target with what decides about its certificate.
type Target struct {
	expose.Target

	certManager string                       // the version of cert-manager's kinds, "cert-manager.io/v1"; "" without cert-manager
	secret      *unstructured.Unstructured   // the one that the user named, or that an earlier run serves; nil when it does not exist
	forbidden   bool                         // the Secret cannot be read
	policies    []*unstructured.Unstructured // the AuthorizationPolicies that authenticate requests at the gateway
	settings    []*unstructured.Unstructured // objects that may contain the host name: see host.go
	workloads   []*unstructured.Unstructured // those that read the settings when they start
}

// Read reads what decides about the target's certificate, if there is to be one. What cannot be read counts as absent;
// a plan that needs it reports that.
func Read(ctx context.Context, view cluster.View, target expose.Target, o expose.Options) Target {
	t := Target{Target: target}
	if t.Source(o) == nil {
		return t
	}
	for _, version := range []string{"v1", "v1alpha2"} { // 1.3 and newer; v1.2 comes with cert-manager 0.11
		if served, err := view.Serves(ctx, expose.CertificateKind.WithVersion(version)); err == nil && served {
			t.certManager = "cert-manager.io/" + version
			break
		}
	}
	if source := t.Source(o); source.From == expose.FromSecret {
		secret, err := cluster.IgnoreNotFound(view.Get(ctx, secretRef(t.Namespace(), source.Secret)))
		t.secret, t.forbidden = secret, apierrors.IsForbidden(err)
	}
	policies, _ := t.InFront(ctx, view, dashboard.AuthorizationPolicyKind)
	for _, p := range policies {
		if action, _, _ := unstructured.NestedString(p.Object, "spec", "action"); action == "CUSTOM" || action == "DENY" {
			t.policies = append(t.policies, p)
		}
	}
	t.readSettings(ctx, view)
	return t
}

// Source returns where the certificate comes from: the one in the options, or that of an earlier run. nil means plain HTTP.
func (t Target) Source(o expose.Options) *expose.TLS {
	switch {
	case o.TLS != nil && o.TLS.From == expose.NoTLS:
		return nil
	case o.TLS != nil:
		return o.TLS
	}
	if made, ok := t.created("Certificate", expose.DashboardCertificate); ok {
		from := expose.SelfSigned
		if issuer, _, _ := unstructured.NestedString(made.Object, "spec", "issuerRef", "name"); issuer == expose.LetsEncryptIssuer {
			from = expose.LetsEncrypt
		}
		return &expose.TLS{From: from}
	}
	if secret := servedSecret(t.IstioGateway); secret != "" {
		return &expose.TLS{From: expose.FromSecret, Secret: secret}
	}
	return nil
}

// Listeners returns what the gateway will serve: HTTPS first, if there will be HTTPS.
func (t Target) Listeners(o expose.Options) []dashboard.Listener {
	source := t.Source(o)
	plain := slices.DeleteFunc(slices.Clone(t.Target.Listeners), func(l dashboard.Listener) bool { return l.Server == record.ServerName })
	own := dashboard.PortOf(t.Service, 443)
	if source == nil || own == nil {
		return plain
	}
	https := dashboard.Listener{Port: 443, Target: dashboard.TargetOf(own), TLS: true, Server: record.ServerName}
	plain = slices.DeleteFunc(plain, func(l dashboard.Listener) bool { return l.TLS || l.Port == o.Port })
	return append([]dashboard.Listener{https}, plain...)
}

// NewPlan decides what to change so that address (an IP, "" while there is none) serves HTTPS. It is pure.
func NewPlan(t Target, o expose.Options, address string) (Plan, error) {
	source := t.Source(o)
	if source == nil {
		if o.TLS == nil {
			return Plan{}, nil
		}
		return Plan{Serve: append(t.Inventory.Revert(), t.removeIssuers("")...)}, nil
	}
	plan := Plan{Host: address}
	if named := t.host(o); named != "" {
		plan.Host = named
	}
	if err := t.checkGateway(*source); err != nil {
		return plan, err
	}
	var err error
	switch source.From {
	case expose.FromSecret:
		plan.Secret = secretRef(t.Namespace(), source.Secret)
		plan.Notes, err = t.checkSecret(source.Secret, plan.Host)
	case expose.SelfSigned:
		err = t.selfSigned(&plan, address)
	case expose.LetsEncrypt:
		err = t.letsEncrypt(&plan, *source)
	}
	if err != nil {
		return plan, err
	}
	if change := t.serveChange(plan.Secret.Name); change != nil {
		plan.Serve = append(plan.Serve, *change)
		plan.Notes = append(plan.Notes, "The gateway then serves HTTPS and redirects plain HTTP to it, also inside the cluster.")
	}
	if source.From == expose.FromSecret {
		plan.Serve = append(plan.Serve, t.removeIssuers(source.Secret)...)
	}
	if net.ParseIP(plan.Host) == nil && plan.Host != "" {
		changes, note := t.moveSignIn(plan.Host)
		plan.Serve = append(plan.Serve, changes...)
		plan.Notes = append(plan.Notes, note)
	}
	return plan, nil
}

func secretRef(namespace, name string) cluster.Ref {
	return cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name}
}

// host returns the DNS name of the dashboard, "" if it has only an address.
func (t Target) host(o expose.Options) string {
	s, err := t.LoadBalancer()
	if err != nil {
		return ""
	}
	o.ApplyTo(s)
	return t.HostOf(s)
}

// checkGateway returns an error if the gateway cannot serve a certificate.
func (t Target) checkGateway(source expose.TLS) error {
	switch {
	case t.IstioGateway == nil:
		return &problem.Error{What: "Gateway kubeflow/kubeflow-gateway was not found, or cannot be read with your permissions: nothing could serve the certificate", Next: "See: kubectl get gateways.networking.istio.io -n kubeflow"}
	case dashboard.PortOf(t.Service, 443) == nil:
		return &problem.Error{What: fmt.Sprintf("Service %s/%s has no port 443 for HTTPS", t.Service.Namespace, t.Service.Name), Next: "Add it to the gateway's Service, with targetPort 8443, on which its pods serve TLS"}
	}
	for _, server := range dashboard.Servers(t.IstioGateway) {
		if name, _, _ := unstructured.NestedString(server, "port", "name"); name != record.ServerName && dashboard.Encrypted(server) {
			secret, _, _ := unstructured.NestedString(server, "tls", "credentialName")
			return &problem.Error{What: strings.TrimSuffix("the gateway has another HTTPS server already, with certificate "+secret, ", with certificate "),
				Next: "Run the same command without --tls: its port is added to the address"}
		}
	}
	if source.From != expose.FromSecret && t.certManager == "" {
		return &problem.Error{What: "cert-manager is not installed on this cluster, so no certificate can be issued", Next: "Put the certificate into a Secret of " + t.Namespace() + " (kubectl create secret tls) and use --tls-secret NAME, or install cert-manager"}
	}
	if file := t.mountedOnly(); file != "" && source.From == expose.FromSecret && source.Secret != file {
		return &problem.Error{What: "Istio of this release reads certificates from only one Secret: " + t.Namespace() + "/" + file, Next: "Put the certificate there and use --tls-secret " + file}
	}
	return nil
}

// mountedOnly returns the one Secret that gateways before Istio 1.5 can serve from, since they read it as files; "" with newer ones.
func (t Target) mountedOnly() string {
	for _, pod := range t.Pods {
		for _, c := range pod.Spec.Containers {
			var minor int
			_, tag, _ := strings.Cut(c.Image, "/proxyv2:")
			if _, err := fmt.Sscanf(tag, "1.%d", &minor); err == nil && minor < 5 {
				return expose.MountedSecret
			}
		}
	}
	return ""
}

// certificateSecret is where cert-manager puts the certificate.
func (t Target) certificateSecret() string {
	if file := t.mountedOnly(); file != "" {
		return file
	}
	return expose.DashboardCertificate
}
