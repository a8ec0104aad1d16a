package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

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
	Why: "A visitor is sent from the gateway to oauth2-proxy, from there to dex and back. When one of the two does not run, when they do not know each other by the same secret, or when they do not call " +
		"the issuer of the tokens by the same name, the visitor ends on an error page or goes round in circles.",
	FixNote: "Where the secrets differ, --fix (with --allow-restart) gives oauth2-proxy the one that dex has, and restarts it. Names of issuers are left: which one is right is yours to say.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{kube.DeploymentKind, kube.SecretKind, kube.ConfigMapKind, dashboard.RequestAuthenticationKind}),
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
			return nil, doctor.Skip("oauth2-proxy and dex do not sign people in here")
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

func judgeDown(d *unstructured.Unstructured, c *metav1.Condition) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(d), Field: "status.conditions"},
		Message:     d.GetName() + " does not run",
		Consequence: "Nobody can sign in.",
		Cause:       c.Message,
		Advice:      "See what its pods wait for.",
		Command:     fmt.Sprintf("kubectl describe deployment -n %s %s", d.GetNamespace(), d.GetName()),
	}
}

// judgeClient compares the client that dex knows with the one that oauth2-proxy says it is.
func judgeClient(ctx context.Context, e doctor.Exam, proxy *unstructured.Unstructured) ([]doctor.Finding, error) {
	client, err := workloads.Find(ctx, e, dexClientRef)
	if err != nil || client == nil {
		return nil, err
	}
	secret, err := proxySecret(ctx, e)
	if err != nil || secret == nil {
		return nil, err
	}
	id, word := held(client, "OIDC_CLIENT_ID"), held(client, "OIDC_CLIENT_SECRET")
	if id == held(secret, "client-id") && word == held(secret, "client-secret") {
		return nil, nil
	}
	return []doctor.Finding{{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(secret), Field: "data"},
		Message:     "dex and oauth2-proxy do not have the same client ID and secret",
		Consequence: "Nobody can sign in: dex answers \"Invalid client credentials\".",
		Cause:       "One of the two was changed without the other.",
		Fix: &doctor.Fix{Title: "Give oauth2-proxy the client that dex knows", Impact: doctor.RestartsPods, Changes: []cluster.Change{
			cluster.Edit(secret, func(o *unstructured.Unstructured) {
				hold(o, "client-id", id)
				hold(o, "client-secret", word)
			}),
			doctor.RestartOf(proxy),
		}},
	}}, nil
}

// judgeIssuers compares what dex calls itself with what oauth2-proxy and the mesh expect.
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
			return []doctor.Finding{otherIssuer(m, "data[oauth2_proxy.cfg]", "oauth2-proxy", issuer, expected)}, nil
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
		return []doctor.Finding{otherIssuer(policies[0], "spec.jwtRules", "the gateway", issuer, text.Names(known, text.Most, func(s string) string { return s }))}, nil
	}
	return nil, nil
}

func otherIssuer(o *unstructured.Unstructured, field, who, issuer, expected string) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: field},
		Message:     fmt.Sprintf("dex issues tokens as %s, and %s expects %s", issuer, who, expected),
		Consequence: "Who has signed in is not taken for it.",
		Advice:      "Give them the same name: the one by which a visitor's browser reaches dex.",
		Command:     fmt.Sprintf("kubectl edit %s -n %s %s", strings.ToLower(o.GetKind()), o.GetNamespace(), o.GetName()),
	}
}
