package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/exposure"
)

const discovery = "/.well-known/openid-configuration"

var TokenIssuer = &doctor.Check{
	ID:    "auth/token-issuer",
	Title: "Gateway accepts this cluster's token issuer",
	Why: "Programs authenticate at the gateway with a service account token if a RequestAuthentication names the issuer of those tokens. Releases name the " +
		"default issuer of Kubernetes; on AKS each cluster has its own issuer URL, and the gateway answers \"Jwt issuer is not configured\".",
	FixNote: "--fix sets the issuer and the URL of its keys to what the API server reports. Nothing restarts.",
	Sources: []string{"kubeflow/manifests#2840", "kubeflow/manifests#2850", "kubeflow/pipelines#11025", "https://learn.microsoft.com/azure/aks/use-oidc-issuer"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{dashboard.RequestAuthenticationKind}),
	Writes: []doctor.Write{{Kind: dashboard.RequestAuthenticationKind,
		Fields: []string{"/spec/jwtRules/*/issuer", "/spec/jwtRules/*/jwksUri", "/spec/jwtRules/*/jwks"}}},
	Paths: []string{discovery},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		policies, err := exposure.AtGateway(ctx, e, dashboard.RequestAuthenticationKind)
		if err != nil {
			return nil, err
		}
		policy, at := forServiceAccounts(policies)
		if policy == nil {
			return nil, doctor.Skip("the gateway does not accept service account tokens")
		}
		answer, err := e.Raw(ctx, discovery)
		if err != nil {
			return nil, err
		}
		var own struct {
			Issuer string `json:"issuer"`
			Keys   string `json:"jwks_uri"`
		}
		if err := json.Unmarshal(answer, &own); err != nil {
			return nil, fmt.Errorf("reading %s: %w", discovery, err)
		}
		named := kube.Text(kube.Items(policy.Object, "spec", "jwtRules")[at], "issuer")
		if own.Issuer == "" || named == own.Issuer {
			return nil, nil
		}
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(policy), Field: fmt.Sprintf("spec.jwtRules[%d].issuer", at)},
			Message:     fmt.Sprintf("the gateway expects tokens of %s, but this cluster's issuer is %s", named, own.Issuer),
			Consequence: "Programs that authenticate with a service account token get 401, \"Jwt issuer is not configured\".",
			Cause:       "The manifests name another cluster's issuer.",
			Fix: &doctor.Fix{Title: "Set this cluster's issuer at the gateway", Impact: doctor.Safe, Changes: []cluster.Change{
				cluster.Edit(policy, func(o *unstructured.Unstructured) {
					rule := kube.Items(o.Object, "spec", "jwtRules")[at]
					rule["issuer"], rule["jwksUri"] = own.Issuer, own.Keys
					delete(rule, "jwks") // the other issuer's keys
				}),
			}},
		}}, nil
	},
}

// forServiceAccounts returns the policy whose rule is for tokens of service accounts, and which of its rules that is.
func forServiceAccounts(policies []*unstructured.Unstructured) (*unstructured.Unstructured, int) {
	for _, p := range policies {
		for i, rule := range kube.Items(p.Object, "spec", "jwtRules") {
			issuer := kube.Text(rule, "issuer")
			if strings.Contains(p.GetName(), "m2m") || strings.Contains(issuer, "kubernetes.default") || strings.Contains(issuer, "oic.prod-aks.azure.com") {
				return p, i
			}
		}
	}
	return nil, 0
}
