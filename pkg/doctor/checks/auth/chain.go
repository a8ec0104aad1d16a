package auth

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

func (c chain) proxy() bool { return c.Product == "oauth2-proxy" }

// pick returns the setting of oauth2-proxy or that of authservice.
func (c chain) pick(proxy, authservice string) dashboard.Setting {
	if c.proxy() {
		return c.Setting(proxy)
	}
	return c.Setting(authservice)
}

func (c chain) issuer() dashboard.Setting {
	return readable(c.pick("oidc_issuer_url", "OIDC_PROVIDER"))
}
func (c chain) clientID() dashboard.Setting { return c.pick("client_id", "CLIENT_ID") }
func (c chain) secret() dashboard.Setting   { return c.pick("client_secret", "CLIENT_SECRET") }

// readable returns a setting whose value a bundle may have replaced as one that is not known.
func readable(s dashboard.Setting) dashboard.Setting {
	s.Known = s.Known && !strings.Contains(s.Value, "redacted-") && !strings.Contains(s.Value, "***")
	return s
}

func on(s dashboard.Setting) bool { return strings.EqualFold(s.Value, "true") || s.Value == "1" }

// discovers reports whether oauth2-proxy asks the issuer for its addresses and ignores those that are configured.
func (c chain) discovers() bool { return c.proxy() && !on(c.Setting("skip_oidc_discovery")) }

// endpoints are the addresses of the provider that are in use besides the issuer.
func (c chain) endpoints() []dashboard.Setting {
	var all []dashboard.Setting
	names := []string{"login_url", "redeem_url", "oidc_jwks_url"}
	switch {
	case c.discovers():
		return nil
	case !c.proxy():
		names = []string{"OIDC_AUTH_URL"}
	}
	for _, name := range names {
		if s := readable(c.Setting(name)); s.Set && s.Known && s.Value != "" {
			all = append(all, s)
		}
	}
	return all
}

// ownDex reports whether the provider is the cluster's own dex: its issuer is, or has its path while the addresses in use are dex's.
func (c chain) ownDex() bool {
	issuer := c.issuer()
	u, err := url.Parse(issuer.Value)
	switch {
	case !issuer.Known || err != nil || issuer.Value == "":
		return false
	case c.dex == nil:
		return strings.HasPrefix(u.Hostname(), dexRef.Name+"."+dexRef.Namespace)
	case c.dex.Serves(issuer.Value):
		return true
	}
	own, err := url.Parse(c.dex.Issuer)
	at := "/dex"
	if err == nil && own.Path != "" {
		at = own.Path
	}
	return strings.TrimSuffix(u.Path, "/") == strings.TrimSuffix(at, "/") &&
		slices.ContainsFunc(c.endpoints(), func(s dashboard.Setting) bool { return c.dex.Serves(s.Value) })
}

// finding starts a finding about where a setting is written.
func finding(s dashboard.Setting, message, impact, advice string) doctor.Finding {
	f := doctor.Finding{Severity: doctor.Error, Message: message, Consequence: impact, Advice: advice}
	if s.Object != nil {
		f.About = doctor.Subject{Ref: cluster.RefOf(s.Object), Field: s.Field}
		f.Command = edit(s.Object)
	}
	return f
}

func edit(o *unstructured.Unstructured) string {
	return fmt.Sprintf("kubectl edit %s -n %s %s", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetNamespace()), escape.Word(o.GetName()))
}

const cannotSignIn = "Users cannot sign in."

// down reports a workload that does not run.
func down(o *unstructured.Unstructured) []doctor.Finding {
	f := doctor.Finding{Severity: doctor.Error, About: doctor.Subject{Ref: cluster.RefOf(o), Field: "status.conditions"}, Consequence: cannotSignIn,
		Message: o.GetName() + " is not available", Advice: "See why its pods are not ready.",
		Command: fmt.Sprintf("kubectl describe %s -n %s %s", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetNamespace()), escape.Word(o.GetName()))}
	f.Needs = []cluster.Ref{cluster.RefOf(o)} // what is wrong with its pods or its references is the cause
	condition := kube.Condition(o, "Available")
	_, has := o.Object["status"]
	switch {
	case o.GetUID() != "" && kube.Replicas(o) == 0:
		f.About.Field, f.Message, f.Advice = "spec.replicas", o.GetName()+" is scaled to 0 replicas", "Scale it up."
		f.Command = fmt.Sprintf("kubectl scale %s -n %s %s --replicas=1", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetNamespace()), escape.Word(o.GetName()))
	case condition != nil && condition.Status == metav1.ConditionFalse:
		f.Cause = condition.Message
	case o.GetUID() != "" && has && o.GetKind() == "StatefulSet" && kube.Number(o.Object, "status", "readyReplicas") == 0 && kube.Number(o.Object, "status", "replicas") > 0:
		f.About.Field, f.Cause = "status.readyReplicas", "None of its pods is ready."
	default:
		return nil
	}
	return []doctor.Finding{f}
}

// noDex reports that the provider is a dex that is not there. Manifests may come without it.
func (c chain) noDex() []doctor.Finding {
	if c.Workload.GetUID() == "" {
		return nil
	}
	f := finding(c.issuer(), fmt.Sprintf("%s sends users to dex, and there is no Deployment %s/%s", c.Product, dexRef.Namespace, dexRef.Name), cannotSignIn,
		"Install dex again.")
	f.Command = "kubectl kubeflow install --component dex"
	return []doctor.Finding{f}
}

// A jwtRule is an entry of a RequestAuthentication.
type jwtRule struct {
	policy  *unstructured.Unstructured
	at      int
	issuer  string
	content map[string]any
}

func (c chain) jwtRules() []jwtRule { return jwtRules(c.rules) }

func jwtRules(policies []*unstructured.Unstructured) []jwtRule {
	var all []jwtRule
	for _, p := range policies {
		for i, rule := range kube.Items(p.Object, "spec", "jwtRules") {
			all = append(all, jwtRule{p, i, kube.Text(rule, "issuer"), rule})
		}
	}
	return all
}

// forServiceAccounts reports whether a rule is for the tokens of service accounts.
func (r jwtRule) forServiceAccounts() bool {
	return strings.Contains(r.policy.GetName(), "m2m") || strings.Contains(r.issuer, "kubernetes.default") || strings.Contains(r.issuer, "oic.prod-aks.azure.com")
}

func (r jwtRule) setting(field string) dashboard.Setting {
	return dashboard.Setting{Value: kube.Text(r.content, field), Object: r.policy, Field: fmt.Sprintf("spec.jwtRules[%d].%s", r.at, field)}
}
