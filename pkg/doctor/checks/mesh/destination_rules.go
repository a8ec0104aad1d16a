package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var DestinationRules = &doctor.Check{
	ID:    "mesh/destination-rules",
	Title: "Mutual TLS settings match the sidecars",
	Why: "A DestinationRule with ISTIO_MUTUAL makes clients use mutual TLS, which only a server with a sidecar accepts. Without one the " +
		"gateway returns \"upstream connect error\" and the Pipelines page stays empty. Conversely, DISABLE for servers with sidecars " +
		"removes the caller's identity, and their AuthorizationPolicies return \"RBAC: access denied\".",
	FixNote: "The fix is to add sidecars, which the check that explains the finding does; a rule whose servers have sidecars is never changed. " +
		"Where DISABLE applies to Kubeflow servers with sidecars, --fix sets the rule back to ISTIO_MUTUAL. Only with --mesh=disable does " +
		"it set DISABLE: the servers then accept whatever identity a caller claims.",
	Sources: []string{"kubeflow/pipelines#5244", "kubeflow/kubeflow#5271", "kubeflow/manifests#3057"},
	Reads:   []schema.GroupKind{destinationRuleKind, kube.EndpointSliceKind, kube.PodKind, kube.NamespaceKind, kube.MutatingWebhookConfigurationKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		rules, err := e.List(ctx, destinationRuleKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		judged := false
		for _, rule := range rules {
			found, any, err := ruleFindings(ctx, e, rule)
			if err != nil {
				return nil, err
			}
			judged = judged || any
			findings = append(findings, found...)
		}
		if len(rules) > 0 && !judged {
			return nil, doctor.Skip("no DestinationRule has ready servers")
		}
		return findings, nil
	},
}

// ruleFindings compares the TLS mode of each part of a rule with the sidecars of the servers behind it.
// any is false if there was no ready server to compare with.
func ruleFindings(ctx context.Context, e doctor.Exam, rule *unstructured.Unstructured) (found []doctor.Finding, any bool, err error) {
	policies := policiesOf(rule)
	if len(policies) == 0 {
		return nil, true, nil
	}
	namespace, wanted := hostServices(rule)
	if namespace == "" {
		return nil, false, nil
	}
	s, err := serversOf(ctx, e, namespace, wanted)
	if err != nil || len(s.pods) == 0 {
		return nil, false, err
	}
	for _, p := range policies {
		servers := s.inSubset(p.labels, strings.HasPrefix(kube.Text(rule.Object, "spec", "host"), "*"))
		if len(servers) == 0 {
			continue
		}
		with := len(slices.DeleteFunc(slices.Clone(servers), func(pod *unstructured.Unstructured) bool { return !inMesh(pod) }))
		f, err := policyFinding(ctx, e, rule, p, servers, with)
		if err != nil {
			return nil, false, err
		}
		if f != nil {
			found = append(found, *f)
		}
	}
	return found, true, nil
}

// policyFinding compares one policy with its servers; it returns nil if they match.
func policyFinding(ctx context.Context, e doctor.Exam, rule *unstructured.Unstructured, p policy, servers []*unstructured.Unstructured, with int) (*doctor.Finding, error) {
	switch {
	case p.mode == modeDisable && with == len(servers):
		return disabledFinding(ctx, e, rule, p, servers)
	case p.mode != modeMutual || with == len(servers):
		return nil, nil
	}
	b := tlsMismatch{rule: rule, policy: p, servers: servers, withSidecar: with}
	namespace, err := namespaceOf(ctx, e, servers[0].GetNamespace())
	if err != nil {
		return nil, err
	}
	b.namespace = namespace
	if b.injection, err = webhooks.InjectionIn(ctx, e, namespace); err != nil {
		return nil, err
	}
	f := b.finding(e.Mesh)
	return &f, nil
}

func namespaceOf(ctx context.Context, e doctor.Exam, name string) (*unstructured.Unstructured, error) {
	ns, err := e.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: name})
	if apierrors.IsNotFound(err) { // manifests may omit it
		ns = &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
		return ns, nil
	}
	return ns, err
}

// disabledFinding reports DISABLE for servers with sidecars. Kubeflow's policies need the caller's identity; elsewhere DISABLE may be intended.
func disabledFinding(ctx context.Context, e doctor.Exam, rule *unstructured.Unstructured, p policy, servers []*unstructured.Unstructured) (*doctor.Finding, error) {
	namespace, err := namespaceOf(ctx, e, servers[0].GetNamespace())
	if err != nil || e.Mesh == OptionDisable || !workloads.IsKubeflow(namespace) {
		return nil, err
	}
	return &doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(rule), Field: p.field},
		Message:     fmt.Sprintf("%s disables mutual TLS, but every server behind it has a sidecar", kube.KindName(rule)),
		Consequence: "The servers do not see the caller's identity: AuthorizationPolicies that name a caller return \"RBAC: access denied\".",
		Cause:       "Some guides set DISABLE for servers without sidecars; it was left in place when the sidecars were added.",
		Command:     p.command(rule, modeMutual),
		Fix: &doctor.Fix{
			Title:   fmt.Sprintf("Set DestinationRule %s back to ISTIO_MUTUAL", rule.GetName()),
			Impact:  doctor.Safe,
			Changes: []cluster.Change{setMode(rule, modeDisable, modeMutual)},
		},
	}, nil
}

var destinationRuleKind = schema.GroupKind{Group: "networking.istio.io", Kind: "DestinationRule"}
