package expose

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// Where a certificate comes from.
const (
	SelfSigned  = "self-signed" // an authority of the dashboard's own, made by cert-manager
	LetsEncrypt = "letsencrypt" // Let's Encrypt, asked by cert-manager; needs a name that the internet knows
	FromSecret  = "secret"      // a Secret that is there already
	NoTLS       = "none"        // takes back what an earlier run made
)

// TLS says where the certificate comes from.
type TLS struct {
	From   string // one of the above
	Secret string // FromSecret: its name, in the gateway's namespace
	Email  string // LetsEncrypt: who hears of certificates that end; may be ""
}

// A TLSPlan is what to change so that the gateway speaks HTTPS: first what brings the certificate, then, when it is there,
// what uses it. Both are empty where nothing is to be done.
type TLSPlan struct {
	Host   string // the name or address that the certificate is for; "" until Azure gives the address
	Issue  []cluster.Change
	Await  *cluster.Ref // the Certificate to wait for between the two; nil when there is none
	Secret cluster.Ref  // with the certificate
	Serve  []cluster.Change
	Notes  []string
}

// Changes returns all that the plan changes, in its order.
func (p TLSPlan) Changes() []cluster.Change { return slices.Concat(p.Issue, p.Serve) }

// tlsParts are what an earlier run made, and what is there to make it with.
type tlsParts struct {
	certManager string                       // the version of cert-manager's kinds, "cert-manager.io/v1"; "" without cert-manager
	secret      *unstructured.Unstructured   // the one that the user named, or that an earlier run serves; nil when it is not there
	forbidden   bool                         // it may not be read
	gates       []*unstructured.Unstructured // the AuthorizationPolicies that ask about visitors of the gateway
	settings    []*unstructured.Unstructured // what may hold the name under which visitors come: see follow.go
	workloads   []*unstructured.Unstructured // those that read the settings when they start
}

var (
	certificates = schema.GroupKind{Group: "cert-manager.io", Kind: "Certificate"}
	issuers      = schema.GroupKind{Group: "cert-manager.io", Kind: "Issuer"}
)

// WithTLS returns the target with what decides about certificates, where there are to be some. What cannot be read counts as not
// there; a plan that needs it says so.
func (t Target) WithTLS(ctx context.Context, view cluster.View, o Options) Target {
	t.tls = tlsParts{}
	if t.wish(o) == nil {
		return t
	}
	for _, version := range []string{"v1", "v1alpha2"} { // 1.3 and newer; v1.2 comes with cert-manager 0.11
		if served, err := view.Serves(ctx, certificates.WithVersion(version)); err == nil && served {
			t.tls.certManager = "cert-manager.io/" + version
			break
		}
	}
	if wish := t.wish(o); wish.From == FromSecret {
		secret, err := found(view.Get(ctx, secretRef(t.Namespace(), wish.Secret)))
		t.tls.secret, t.tls.forbidden = secret, apierrors.IsForbidden(err)
	}
	policies, _ := t.InFront(ctx, view, dashboard.AuthorizationPolicyKind)
	for _, p := range policies {
		if action, _, _ := unstructured.NestedString(p.Object, "spec", "action"); action == "CUSTOM" || action == "DENY" {
			t.tls.gates = append(t.tls.gates, p)
		}
	}
	t.lookSettings(ctx, view)
	return t
}

// wish returns where the certificate comes from: what was asked for, or what an earlier run did. nil means plain HTTP.
func (t Target) wish(o Options) *TLS {
	switch {
	case o.TLS != nil && o.TLS.From == NoTLS:
		return nil
	case o.TLS != nil:
		return o.TLS
	}
	if made, ok := t.madeNamed("Certificate", DashboardCertificate); ok {
		from := SelfSigned
		if issuer, _, _ := unstructured.NestedString(made.Object, "spec", "issuerRef", "name"); issuer == letsEncryptIssuer {
			from = LetsEncrypt
		}
		return &TLS{From: from}
	}
	if secret := ourCredential(t.IstioGateway); secret != "" {
		return &TLS{From: FromSecret, Secret: secret}
	}
	return nil
}

// listeners returns what the gateway will serve: HTTPS first where there will be HTTPS.
func (t Target) listeners(o Options) []dashboard.Listener {
	wish := t.wish(o)
	plain := slices.DeleteFunc(slices.Clone(t.Listeners), func(l dashboard.Listener) bool { return l.Server == serverName })
	own := dashboard.PortOf(t.Service, 443)
	if wish == nil || own == nil {
		return plain
	}
	https := dashboard.Listener{Port: 443, Target: dashboard.TargetOf(own), TLS: true, Server: serverName}
	plain = slices.DeleteFunc(plain, func(l dashboard.Listener) bool { return l.TLS || l.Port == o.Port })
	return append([]dashboard.Listener{https}, plain...)
}

// PlanTLS decides what to change so that visitors of address (an IP, "" while there is none) come by HTTPS. It is pure.
func PlanTLS(t Target, o Options, address string) (TLSPlan, error) {
	wish := t.wish(o)
	if wish == nil {
		if o.TLS == nil {
			return TLSPlan{}, nil
		}
		return TLSPlan{Serve: append(t.Made.undo(), t.withoutIssuers("")...)}, nil
	}
	plan := TLSPlan{Host: address}
	if named := t.visitors(o); named != "" {
		plan.Host = named
	}
	if err := t.mayServe(*wish); err != nil {
		return plan, err
	}
	var err error
	switch wish.From {
	case FromSecret:
		plan.Secret = secretRef(t.Namespace(), wish.Secret)
		plan.Notes, err = t.given(wish.Secret, plan.Host)
	case SelfSigned:
		err = t.selfSigned(&plan, address)
	case LetsEncrypt:
		err = t.letsEncrypt(&plan, *wish)
	}
	if err != nil {
		return plan, err
	}
	if change := t.serve(plan.Secret.Name); change != nil {
		plan.Serve = append(plan.Serve, *change)
		plan.Notes = append(plan.Notes, "The gateway then speaks HTTPS, and sends those who come by plain HTTP on to it, also inside the cluster.")
	}
	if wish.From == FromSecret {
		plan.Serve = append(plan.Serve, t.withoutIssuers(wish.Secret)...)
	}
	if net.ParseIP(plan.Host) == nil && plan.Host != "" {
		changes, note := t.follow(plan.Host)
		plan.Serve = append(plan.Serve, changes...)
		plan.Notes = append(plan.Notes, note)
	}
	return plan, nil
}

func secretRef(namespace, name string) cluster.Ref {
	return cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name}
}

// visitors returns the name under which visitors will come, "" where they come by the address.
func (t Target) visitors(o Options) string {
	s, err := t.loadBalancer()
	if err != nil {
		return ""
	}
	o.address(s)
	return t.HostOf(s)
}

// mayServe says what keeps the gateway from serving a certificate.
func (t Target) mayServe(wish TLS) error {
	switch {
	case t.IstioGateway == nil:
		return &cluster.Problem{What: "Gateway kubeflow/kubeflow-gateway is not there, or may not be read: nothing could serve the certificate", Next: "See: kubectl get gateways.networking.istio.io -n kubeflow"}
	case dashboard.PortOf(t.Service, 443) == nil:
		return &cluster.Problem{What: fmt.Sprintf("Service %s/%s has no port 443 for HTTPS", t.Service.Namespace, t.Service.Name), Next: "Add it to the gateway's Service, with the port on which its pods serve TLS (8443)"}
	}
	for _, server := range dashboard.Servers(t.IstioGateway) {
		if name, _, _ := unstructured.NestedString(server, "port", "name"); name != serverName && dashboard.Encrypted(server) {
			secret, _, _ := unstructured.NestedString(server, "tls", "credentialName")
			return &cluster.Problem{What: strings.TrimSuffix("the gateway has an HTTPS server of its own already, with certificate "+secret, ", with certificate "),
				Next: "Run the same command without --tls: its port is added to the address"}
		}
	}
	if wish.From != FromSecret && t.tls.certManager == "" {
		return &cluster.Problem{What: "cert-manager is not on this cluster: nothing can make the certificate", Next: "Put the certificate into a Secret of " + t.Namespace() + " (kubectl create secret tls) and say --tls-secret NAME, or install cert-manager"}
	}
	if file := t.mounted(); file != "" && wish.From == FromSecret && wish.Secret != file {
		return &cluster.Problem{What: "this release's Istio reads certificates from one Secret alone: " + t.Namespace() + "/" + file, Next: "Put the certificate there and say --tls-secret " + file}
	}
	return nil
}

// mounted returns the one Secret that gateways before Istio 1.5 can serve from, since they read it as files; "" with newer ones.
func (t Target) mounted() string {
	for _, pod := range t.Pods {
		for _, c := range pod.Spec.Containers {
			var minor int
			_, tag, _ := strings.Cut(c.Image, "/proxyv2:")
			if _, err := fmt.Sscanf(tag, "1.%d", &minor); err == nil && minor < 5 {
				return mountedSecret
			}
		}
	}
	return ""
}

// certificateSecret is where cert-manager puts the certificate.
func (t Target) certificateSecret() string {
	if file := t.mounted(); file != "" {
		return file
	}
	return DashboardCertificate
}
