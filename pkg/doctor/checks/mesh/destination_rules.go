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
	Reads:   []schema.GroupKind{RuleKind, kube.EndpointSliceKind, kube.PodKind, kube.NamespaceKind, kube.MutatingWebhookConfigurationKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		rules, err := e.List(ctx, RuleKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		judged := false
		for _, rule := range rules {
			found, any, err := judgeRule(ctx, e, rule)
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

// judgeRule compares what each part of a rule asks of callers with what the servers behind it can answer.
// any tells whether there was a ready server to compare with, or nothing to compare.
func judgeRule(ctx context.Context, e doctor.Exam, rule *unstructured.Unstructured) (found []doctor.Finding, any bool, err error) {
	policies := policiesOf(rule)
	if len(policies) == 0 {
		return nil, true, nil
	}
	namespace, wanted := host(rule)
	if namespace == "" {
		return nil, false, nil
	}
	s, err := serversOf(ctx, e, namespace, wanted)
	if err != nil || len(s.pods) == 0 {
		return nil, false, err
	}
	for _, p := range policies {
		servers := s.matching(p.labels, strings.HasPrefix(kube.Text(rule.Object, "spec", "host"), "*"))
		if len(servers) == 0 {
			continue
		}
		with := len(slices.DeleteFunc(slices.Clone(servers), func(pod *unstructured.Unstructured) bool { return !meshed(pod) }))
		f, err := compare(ctx, e, rule, p, servers, with)
		if err != nil {
			return nil, false, err
		}
		if f != nil {
			found = append(found, *f)
		}
	}
	return found, true, nil
}

// compare returns what is wrong between one policy and its servers, nil when they agree.
func compare(ctx context.Context, e doctor.Exam, rule *unstructured.Unstructured, p policy, servers []*unstructured.Unstructured, with int) (*doctor.Finding, error) {
	switch {
	case p.mode == Disable && with == len(servers):
		return disabledButMeshed(ctx, e, rule, p, servers)
	case p.mode != Mutual || with == len(servers):
		return nil, nil
	}
	b := broken{rule: rule, policy: p, servers: servers, with: with}
	namespace, err := namespaceOf(ctx, e, servers[0].GetNamespace())
	if err != nil {
		return nil, err
	}
	b.namespace = namespace
	if b.why, err = webhooks.InjectionIn(ctx, e, namespace); err != nil {
		return nil, err
	}
	f := b.finding(e.Mesh)
	return &f, nil
}

func namespaceOf(ctx context.Context, e doctor.Exam, name string) (*unstructured.Unstructured, error) {
	ns, err := e.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: name})
	if apierrors.IsNotFound(err) { // manifests need not bring it
		ns = &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
		return ns, nil
	}
	return ns, err
}

// disabledButMeshed is the other way round. In Kubeflow's own namespaces the policies need to know the caller; elsewhere it may be meant.
func disabledButMeshed(ctx context.Context, e doctor.Exam, rule *unstructured.Unstructured, p policy, servers []*unstructured.Unstructured) (*doctor.Finding, error) {
	namespace, err := namespaceOf(ctx, e, servers[0].GetNamespace())
	if err != nil || e.Mesh == OptDisable || !workloads.Ours(namespace) {
		return nil, err
	}
	return &doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(rule), Field: p.field},
		Message:     fmt.Sprintf("%s disables mutual TLS, but every server behind it has a sidecar", kube.KindName(rule)),
		Consequence: "The servers do not see the caller's identity: AuthorizationPolicies that name a caller return \"RBAC: access denied\".",
		Cause:       "Some guides set DISABLE for servers without sidecars; it was left in place when the sidecars were added.",
		Command:     p.command(rule, Mutual),
		Fix: &doctor.Fix{
			Title:   fmt.Sprintf("Set DestinationRule %s back to ISTIO_MUTUAL", rule.GetName()),
			Impact:  doctor.Safe,
			Changes: []cluster.Change{SetMode(rule, Disable, Mutual)},
		},
	}, nil
}

var RuleKind = schema.GroupKind{Group: "networking.istio.io", Kind: "DestinationRule"}
