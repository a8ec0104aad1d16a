package auth

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/exposure"
)

var SignIn = &doctor.Check{
	ID:    "auth/sign-in",
	Title: "dex and oauth2-proxy are available and consistent",
	Why: "A browser is redirected from the gateway to oauth2-proxy (authservice up to 1.8), from there to an identity provider and back. If one of them is not " +
		"running, or if they disagree about the client, its secret, the redirect URI or the name of the token issuer, the user ends on an error page or in a " +
		"redirect loop. The provider is the one that oauth2-proxy or authservice names: dex is compared only if that is the cluster's own dex.",
	FixNote: "If the provider is the cluster's own dex, --fix (with --allow-restart) gives oauth2-proxy or authservice the client that dex knows, replaces a cookie " +
		"secret of an invalid length, and gives an old dex the variable that it needs; what changed is restarted, and after dex the gateway gets dex's keys again. " +
		"Clients and secrets of another provider are never changed. Issuer names are not changed, because the right one depends on the DNS name that you use.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md", "dexidp/dex#2082", "kubeflow/manifests#1882",
		"https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview"},
	Reads: slices.Concat(dashboard.GatewayKinds, signInKinds, []schema.GroupKind{kube.ServiceAccountKind}),
	Writes: slices.Concat([]doctor.Write{
		{Kind: kube.SecretKind, In: authenticatorNamespaces, Fields: []string{"/data/*"}},
		{Kind: kube.DeploymentKind, In: authenticatorNamespaces, Restart: true},
		{Kind: kube.StatefulSetKind, In: authenticatorNamespaces, Restart: true},
		{Kind: kube.DeploymentKind, In: []string{dexRef.Namespace}, Names: []string{dexRef.Name}, Fields: []string{"/spec/template/spec/containers/*/env"}},
	}, renewsKeys),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		chains, _, err := readChains(ctx, e)
		if err != nil {
			return nil, err
		}
		if len(chains) == 0 {
			return nil, doctor.Skip("the gateway asks neither oauth2-proxy nor authservice")
		}
		var findings []doctor.Finding
		for _, c := range chains {
			found, err := c.judge(ctx)
			if err != nil {
				return nil, err
			}
			findings = append(findings, found...)
		}
		return findings, nil
	},
}

// readChains returns the sign-ins that are in use, and whether the cluster's own dex is installed and idle: the gateway then asks
// an authenticator with another provider, or accepts the tokens of another one, and never those of dex.
func readChains(ctx context.Context, e doctor.Exam) (chains []chain, idleDex bool, err error) {
	namespace, pods, err := exposure.GatewayPods(ctx, e)
	if err != nil {
		return nil, false, err
	}
	all, rules, err := dashboard.ReadSignIns(ctx, e, namespace, pods)
	if err != nil {
		return nil, false, err
	}
	dex, err := dashboard.ReadDex(ctx, e)
	if err != nil {
		return nil, false, err
	}
	if dex != nil && dex.Refused != nil && !e.Without(dex.Refused) {
		return nil, false, dex.Refused
	}
	others, dexs := 0, 0 // what uses other providers, and what may use dex
	count := func(own bool) {
		if own {
			dexs++
		} else {
			others++
		}
	}
	for _, r := range jwtRules(rules) {
		if !r.forServiceAccounts() {
			count(dex.Serves(r.issuer))
		}
	}
	for _, s := range all {
		if s.Refused != nil && !e.Without(s.Refused) {
			return nil, false, s.Refused
		}
		if c := (chain{Exam: e, SignIn: s, dex: dex, rules: rules}); !c.idle() {
			chains = append(chains, c)
			issuer := c.issuer()
			count(c.ownDex() || !issuer.Known || issuer.Value == "") // without a known provider, dex may be the one
		}
	}
	return chains, others > 0 && dexs == 0, nil
}

// signInKinds are what a sign-in is read from.
var signInKinds = []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.SecretKind, kube.ConfigMapKind,
	dashboard.RequestAuthenticationKind, dashboard.AuthorizationPolicyKind, dashboard.EnvoyFilterKind}

// authenticatorNamespaces are those in which oauth2-proxy and authservice run.
var authenticatorNamespaces = []string{proxyRef.Namespace, dashboard.KubeflowNamespace}

// A chain is what one sign-in goes through: the authenticator, its provider, and the rules that accept the tokens at the gateway.
type chain struct {
	doctor.Exam
	dashboard.SignIn
	dex   *dashboard.Dex
	rules []*unstructured.Unstructured
}

// idle reports whether the gateway does not ask the authenticator and accepts the tokens of other providers than dex: then it was left
// installed and is not used.
func (c chain) idle() bool {
	if c.Asked != nil {
		return false
	}
	for _, r := range c.jwtRules() {
		if !r.forServiceAccounts() && !c.dex.Serves(r.issuer) && r.issuer != c.issuer().Value {
			return true
		}
	}
	return false
}

// judge compares the parts of a sign-in.
func (c chain) judge(ctx context.Context) ([]doctor.Finding, error) {
	findings := slices.Concat(down(c.Workload), c.judgeCookie(), c.judgeSessions(), c.judgeScopes())
	if !c.ownDex() {
		foreign, err := c.judgeForeign(ctx)
		return slices.Concat(findings, foreign, c.judgeRules()), err
	}
	if c.dex == nil {
		return append(findings, c.noDex()...), nil
	}
	own, err := c.judgeDex(ctx)
	return slices.Concat(findings, down(c.dex.Workload), own, c.judgeClient(), c.judgeRedirect(), c.judgeIssuer(), c.judgeRules()), err
}
