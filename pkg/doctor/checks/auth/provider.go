package auth

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// judgeCookie checks the length of the key that oauth2-proxy encrypts its cookies with.
func (c chain) judgeCookie() []doctor.Finding {
	key := readable(c.Setting("cookie_secret"))
	if !c.proxy() || !key.Known || c.Setting("cookie_secret_file").Set || c.Setting("authenticated_emails_file").Value == "-" || cookieKey(key.Value) {
		return nil
	}
	message := fmt.Sprintf("oauth2-proxy's cookie secret has %s, and must have 16, 24 or 32", text.Plural(len(key.Value), "byte"))
	if key.Value == "" {
		message = "oauth2-proxy has no cookie secret"
	}
	f := finding(key, message, cannotSignIn+" oauth2-proxy ends when it starts.",
		"Set one of 32 characters without a line break, or the URL-safe base64 of 32 random bytes, and restart oauth2-proxy.")
	f.Command = ""
	if c.NewSecret != nil && c.ownSecret(key) {
		f.Fix = &doctor.Fix{Title: "Give oauth2-proxy a new cookie secret", Impact: doctor.RestartsPods, Changes: []cluster.Change{
			cluster.Edit(key.Object, func(o *unstructured.Unstructured) { setSecretValue(o, key.Key, c.NewSecret()) }),
			doctor.RestartOf(c.Workload),
		}}
	}
	return []doctor.Finding{f}
}

// cookieKey reports whether oauth2-proxy takes a secret: decoded, if that gives the length of an AES key, or as it is.
func cookieKey(secret string) bool {
	lengths := []int{16, 24, 32}
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(secret, "="))
	return err == nil && slices.Contains(lengths, len(decoded)) || slices.Contains(lengths, len(secret))
}

// microsoft reports whether an issuer is Microsoft Entra ID.
func microsoft(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && (strings.HasPrefix(u.Hostname(), "login.microsoftonline.") || u.Hostname() == "sts.windows.net" || strings.HasPrefix(u.Hostname(), "login.partner.microsoftonline."))
}

// judgeScopes finds what Entra ID refuses.
func (c chain) judgeScopes() []doctor.Finding {
	if c.proxy() || !microsoft(c.issuer().Value) {
		return nil
	}
	scopes := c.Setting("OIDC_SCOPES")
	if !slices.Contains(strings.FieldsFunc(scopes.Value, func(r rune) bool { return r == ' ' || r == ',' || r == '"' }), "groups") {
		return nil
	}
	return []doctor.Finding{finding(scopes, "authservice asks Microsoft Entra ID for the scope groups, which it does not have", cannotSignIn+" Entra ID answers AADSTS650053.",
		"Remove groups from OIDC_SCOPES: groups come as a claim of the app registration.")}
}

// judgeForeign looks at a sign-in with another provider than the cluster's dex. What is registered there cannot be seen, and no fix
// changes its client or secret.
func (c chain) judgeForeign(ctx context.Context) ([]doctor.Finding, error) {
	issuer := c.issuer()
	if issuer.Value == "" { // a provider without an issuer, such as google or github
		return nil, nil
	}
	var findings []doctor.Finding
	for _, s := range c.endpoints() {
		if u, err := url.Parse(s.Value); c.dex.Serves(s.Value) || err == nil && u.Host == "" {
			findings = append(findings, finding(s, fmt.Sprintf("%s uses %s, and its provider is %s", c.Product, s.Value, issuer.Value), cannotSignIn+" They are sent to dex, whose tokens are not accepted.",
				"Use the addresses of the provider: remove this one, and for oauth2-proxy set skip_oidc_discovery = false."))
			break
		}
	}
	r := c.redirect()
	if u, err := url.Parse(r.uri); r.Known && err == nil && u.Host == "" && !r.byHost {
		findings = append(findings, finding(r.Setting, fmt.Sprintf("%s sends the redirect URI %s without a host to %s", c.Product, r.uri, issuer.Value), cannotSignIn+" Another provider than dex needs the whole address.",
			"Set the redirect URL to the dashboard's address followed by "+u.Path+", and for oauth2-proxy relative_redirect_url = false."))
	}
	identity, err := c.judgeIdentity(ctx)
	return append(findings, identity...), err
}

const (
	identityLabel      = "azure.workload.identity/use"
	identityAnnotation = "azure.workload.identity/client-id"
)

// judgeIdentity checks how oauth2-proxy or authservice authenticates to the provider: with a secret, or with a workload identity.
func (c chain) judgeIdentity(ctx context.Context) ([]doctor.Finding, error) {
	secret := c.secret()
	if !c.proxy() || !on(c.Setting("entra_id_federated_token_auth")) {
		if secret.Known && secret.Value == "" && !c.Setting("client_secret_file").Set && c.Hidden == "" {
			return []doctor.Finding{finding(secret, c.Product+" has no client secret", cannotSignIn, "Set the client secret of the app registration, or use a workload identity (entra_id_federated_token_auth).")}, nil
		}
		return nil, nil
	}
	if label, _, _ := unstructured.NestedString(c.Workload.Object, "spec", "template", "metadata", "labels", identityLabel); label != "true" {
		f := finding(secret, "oauth2-proxy authenticates with a workload identity, and its pods do not have the label "+identityLabel, cannotSignIn+" Its pods get no token for Entra ID.",
			"Add the label "+identityLabel+`: "true" to the pods.`)
		f.About = doctor.Subject{Ref: cluster.RefOf(c.Workload), Field: "spec.template.metadata.labels"}
		f.Command = edit(c.Workload)
		return []doctor.Finding{f}, nil
	}
	name := kube.Text(c.Workload.Object, "spec", "template", "spec", "serviceAccountName")
	if name == "" {
		name = "default"
	}
	account, err := workloads.Find(ctx, c.Exam, cluster.Ref{APIVersion: "v1", Kind: kube.ServiceAccountKind.Kind, Namespace: c.Workload.GetNamespace(), Name: name})
	if err != nil || account == nil || account.GetAnnotations()[identityAnnotation] != "" {
		return nil, err
	}
	f := finding(secret, "oauth2-proxy authenticates with a workload identity, and its ServiceAccount does not have the annotation "+identityAnnotation, cannotSignIn+" Entra ID does not know which identity it is.",
		"Add the annotation with the client ID of the managed identity or app registration.")
	f.About = doctor.Subject{Ref: cluster.RefOf(account), Field: "metadata.annotations"}
	f.Command = edit(account)
	return []doctor.Finding{f}, nil
}

// judgeRules compares the issuer and the client with what the gateway accepts. authservice passes no tokens on.
func (c chain) judgeRules() []doctor.Finding {
	issuer := c.issuer()
	if !c.proxy() || !issuer.Known || issuer.Value == "" || anyTenant(issuer.Value) || on(c.Setting("insecure_oidc_skip_issuer_verification")) {
		return nil
	}
	if c.ownDex() && c.dex != nil && c.dex.Issuer != "" && c.dex.Issuer != issuer.Value && c.accepted(c.dex.Issuer) {
		return nil // the issuer of oauth2-proxy is the wrong one
	}
	var people []jwtRule
	for _, r := range c.jwtRules() {
		if !r.forServiceAccounts() && !strings.Contains(r.issuer, "redacted-") {
			people = append(people, r)
		}
	}
	if len(people) == 0 {
		return nil
	}
	at := slices.IndexFunc(people, func(r jwtRule) bool {
		return r.issuer == issuer.Value || microsoft(issuer.Value) && sameTenant(r.issuer, issuer.Value)
	})
	if at < 0 {
		return []doctor.Finding{finding(people[0].setting("issuer"), fmt.Sprintf("%s issues tokens, and the gateway expects them of %s", issuer.Value,
			text.Names(people, text.Most, func(r jwtRule) string { return r.issuer })), issuerImpact, "Use the same issuer in both.")}
	}
	rule := people[at]
	var findings []doctor.Finding
	id := readable(c.clientID())
	if audiences := kube.Texts(rule.content, "audiences"); len(audiences) > 0 && id.Known && !slices.Contains(audiences, id.Value) &&
		!slices.ContainsFunc(audiences, func(a string) bool { return strings.Contains(a, "redacted-") || strings.HasSuffix(a, id.Value) }) {
		findings = append(findings, finding(rule.setting("audiences"), fmt.Sprintf("the gateway accepts tokens for %s, and those of oauth2-proxy are for %s",
			text.Names(audiences, text.Most, func(s string) string { return s }), id.Value), issuerImpact, "Add the client ID of oauth2-proxy to audiences, or remove them."))
	}
	keys := rule.setting("jwksUri")
	others := c.ownDex() && !c.dex.Serves(keys.Value) && !sameHost(keys.Value, issuer.Value) || !c.ownDex() && c.dex.Serves(keys.Value)
	if keys.Value != "" && !strings.Contains(keys.Value, "redacted-") && others {
		findings = append(findings, finding(keys, fmt.Sprintf("the gateway checks tokens of %s with the keys of %s", issuer.Value, keys.Value), issuerImpact, "Use the keys of the issuer."))
	}
	return findings
}

// anyTenant reports whether an issuer stands for every tenant of Entra ID, whose tokens name their own.
func anyTenant(issuer string) bool {
	return microsoft(issuer) && (strings.Contains(issuer, "/common") || strings.Contains(issuer, "/organizations") || strings.Contains(issuer, "/consumers") || strings.Contains(issuer, "{tenantid}"))
}

// sameTenant reports whether two issuers are the same tenant of Entra ID: tokens of version 1 name it in another way.
func sameTenant(a, b string) bool {
	tenant := func(issuer string) string {
		u, err := url.Parse(issuer)
		if err != nil || !microsoft(issuer) {
			return ""
		}
		first, _, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
		return first
	}
	return tenant(a) != "" && tenant(a) == tenant(b)
}

func sameHost(a, b string) bool {
	u, err := url.Parse(a)
	v, err2 := url.Parse(b)
	return err == nil && err2 == nil && u.Host == v.Host
}

// judgeSessions reports several oauth2-proxies that do not share what they remember: a sign-in that begins at one and ends at another fails.
func (c chain) judgeSessions() []doctor.Finding {
	store, proof := c.Setting("session_store_type"), c.Setting("code_challenge_method")
	if !c.proxy() || !c.ownDex() || kube.Replicas(c.Workload) < 2 || !proof.Set || proof.Value == "" || store.Value == "redis" {
		return nil
	}
	return []doctor.Finding{{
		Severity:    doctor.Info, // releases come like this, and most sign-ins work
		About:       doctor.Subject{Ref: cluster.RefOf(c.Workload), Field: "spec.replicas"},
		Message:     fmt.Sprintf("oauth2-proxy has %d replicas, uses PKCE, and has no session store that they share", kube.Replicas(c.Workload)),
		Consequence: "Now and then a user's sign-in fails with Invalid code_verifier.",
		Advice:      "Run one replica, or configure Redis as the session store.",
		Command:     fmt.Sprintf("kubectl scale deployment -n %s %s --replicas=1", escape.Word(c.Workload.GetNamespace()), escape.Word(c.Workload.GetName())),
	}}
}
