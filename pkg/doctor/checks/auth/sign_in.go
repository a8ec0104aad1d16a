package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/exposure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var SignIn = &doctor.Check{
	ID:    "auth/sign-in",
	Title: "dex and oauth2-proxy are available and consistent",
	Why: "A browser is redirected from the gateway to oauth2-proxy, from there to dex and back. If one of the two is not running, if they do not share the same " +
		"secret, or if they name the token issuer differently, the user ends on an error page or in a redirect loop.",
	FixNote: "If the secrets differ, --fix (with --allow-restart) gives oauth2-proxy the one that dex has, and restarts it. Issuer names are not changed, because " +
		"the right one depends on the DNS name that you use.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{kube.DeploymentKind, kube.SecretKind, kube.ConfigMapKind, dashboard.RequestAuthenticationKind}),
	Writes: []doctor.Write{
		{Kind: kube.SecretKind, In: []string{proxyRef.Namespace}, Fields: []string{"/data/client-id", "/data/client-secret"}},
		{Kind: kube.DeploymentKind, In: []string{proxyRef.Namespace}, Names: []string{proxyRef.Name}, Restart: true},
	},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		dex, err := workloads.Find(ctx, e, dexRef)
		if err != nil {
			return nil, err
		}
		proxy, err := workloads.Find(ctx, e, proxyRef)
		if err != nil {
			return nil, err
		}
		if dex == nil || proxy == nil {
			return nil, doctor.Skip("oauth2-proxy and dex are not used for authentication here")
		}
		var findings []doctor.Finding
		for _, d := range []*unstructured.Unstructured{dex, proxy} {
			if c := kube.Condition(d, "Available"); c != nil && c.Status == metav1.ConditionFalse {
				findings = append(findings, judgeDown(d, c))
			}
		}
		apart, err := judgeClient(ctx, e, proxy)
		if err != nil {
			return nil, err
		}
		issuers, err := judgeIssuers(ctx, e, proxy)
		return slices.Concat(findings, apart, issuers), err
	},
}

// The texts of the findings.
const (
	downMessage     = "%s is not available"
	downImpact      = "Users cannot sign in."
	downAdvice      = "See why its pods are not ready."
	clientMessage   = "dex and oauth2-proxy have different client IDs or secrets"
	clientImpact    = "Users cannot sign in: dex answers \"Invalid client credentials\"."
	clientCause     = "Only one of the two was changed."
	clientFix       = "Give oauth2-proxy the client that dex knows"
	issuerMessage   = "dex issues tokens as %s, and %s expects %s"
	issuerImpact    = "Signed-in users are not recognised."
	issuerAdvice    = "Use the same name in both: the one under which a user's browser reaches dex."
	expectedByProxy = "oauth2-proxy"
	expectedByMesh  = "the gateway"
)

func judgeDown(d *unstructured.Unstructured, c *metav1.Condition) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(d), Field: "status.conditions"},
		Message:     fmt.Sprintf(downMessage, d.GetName()),
		Consequence: downImpact,
		Cause:       c.Message,
		Advice:      downAdvice,
		Command:     fmt.Sprintf("kubectl describe deployment -n %s %s", escape.Word(d.GetNamespace()), escape.Word(d.GetName())),
	}
}

// judgeClient compares the client that dex is configured with the one that oauth2-proxy uses.
func judgeClient(ctx context.Context, e doctor.Exam, proxy *unstructured.Unstructured) ([]doctor.Finding, error) {
	client, err := workloads.Find(ctx, e, dexClientRef)
	if err != nil || client == nil {
		return nil, err
	}
	secret, err := proxySecret(ctx, e)
	if err != nil || secret == nil {
		return nil, err
	}
	id, word := secretValue(client, "OIDC_CLIENT_ID"), secretValue(client, "OIDC_CLIENT_SECRET")
	if id == secretValue(secret, "client-id") && word == secretValue(secret, "client-secret") {
		return nil, nil
	}
	return []doctor.Finding{{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(secret), Field: "data"},
		Message:     clientMessage,
		Consequence: clientImpact,
		Cause:       clientCause,
		Fix: &doctor.Fix{Title: clientFix, Impact: doctor.RestartsPods, Changes: []cluster.Change{
			cluster.Edit(secret, func(o *unstructured.Unstructured) {
				setSecretValue(o, "client-id", id)
				setSecretValue(o, "client-secret", word)
			}),
			doctor.RestartOf(proxy),
		}},
	}}, nil
}

// judgeIssuers compares the issuer that dex names with those that oauth2-proxy and the mesh expect.
func judgeIssuers(ctx context.Context, e doctor.Exam, proxy *unstructured.Unstructured) ([]doctor.Finding, error) {
	config, err := workloads.Find(ctx, e, dexConfigRef)
	if err != nil {
		return nil, err
	}
	issuer := issuerOf(config, dexFile, "issuer")
	if issuer == "" {
		return nil, nil
	}
	maps, err := e.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: proxyRef.Namespace})
	if err != nil {
		return nil, err
	}
	for _, m := range maps {
		if expected := issuerOf(m, "oauth2_proxy.cfg", "oidc_issuer_url"); expected != "" && expected != issuer {
			return []doctor.Finding{otherIssuer(m, "data[oauth2_proxy.cfg]", expectedByProxy, issuer, expected)}, nil
		}
	}
	policies, err := exposure.AtGateway(ctx, e, dashboard.RequestAuthenticationKind)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, p := range policies {
		for _, rule := range kube.Items(p.Object, "spec", "jwtRules") {
			known = append(known, kube.Text(rule, "issuer"))
		}
	}
	if len(policies) > 0 && !slices.Contains(known, issuer) {
		return []doctor.Finding{otherIssuer(policies[0], "spec.jwtRules", expectedByMesh, issuer, text.Names(known, text.Most, func(s string) string { return s }))}, nil
	}
	return nil, nil
}

func otherIssuer(o *unstructured.Unstructured, field, who, issuer, expected string) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: field},
		Message:     fmt.Sprintf(issuerMessage, issuer, who, expected),
		Consequence: issuerImpact,
		Advice:      issuerAdvice,
		Command:     fmt.Sprintf("kubectl edit %s -n %s %s", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetNamespace()), escape.Word(o.GetName())),
	}
}
