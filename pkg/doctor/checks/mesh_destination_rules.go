package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var destinationRules = &doctor.Check{
	ID:    "mesh/destination-rules",
	Title: "callers and servers agree on mutual TLS",
	Why: "A DestinationRule with ISTIO_MUTUAL makes callers speak mutual TLS, which only a server with a sidecar can answer: without one the gateway says " +
		"\"upstream connect error\" and the Pipelines page stays empty. The other way round, DISABLE towards servers with sidecars leaves them without the caller's identity, " +
		"and their AuthorizationPolicies answer \"RBAC: access denied\".",
	Cure: "The cure is sidecars, and the check that explains the finding gives them; a rule whose servers are meshed is never touched. Where DISABLE meets meshed servers of Kubeflow, " +
		"--fix sets the rule back to ISTIO_MUTUAL. Only when asked with --mesh=disable does it set DISABLE: the servers then accept whatever identity a caller claims.",
	Sources: []string{"kubeflow/pipelines#5244", "kubeflow/kubeflow#5271", "kubeflow/manifests#3057"},
	Reads:   []schema.GroupKind{ruleKind, endpointSliceKind, podKind, namespaceKind, mutatingKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		rules, err := e.List(ctx, ruleKind, cluster.Scope{})
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
			return nil, doctor.Skip("no pod is ready behind any DestinationRule")
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
		servers := s.matching(p.labels, strings.HasPrefix(text(rule.Object, "spec", "host"), "*"))
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
	case p.mode == disable && with == len(servers):
		return disabledButMeshed(ctx, e, rule, p, servers)
	case p.mode != mutual || with == len(servers):
		return nil, nil
	}
	b := broken{rule: rule, policy: p, servers: servers, with: with}
	namespace, err := namespaceOf(ctx, e, servers[0].GetNamespace())
	if err != nil {
		return nil, err
	}
	b.namespace = namespace
	if b.why, err = injectionIn(ctx, e, namespace); err != nil {
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
	if err != nil || e.Mesh == optDisable || !ours(namespace) {
		return nil, err
	}
	return &doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(rule), Field: p.field},
		Message:     fmt.Sprintf("DestinationRule %s switches mutual TLS off, and every server behind it has a sidecar", rule.GetName()),
		Consequence: "The servers do not learn who calls: AuthorizationPolicies that name a caller answer \"RBAC: access denied\".",
		Cause:       "DISABLE is what guides say for servers without a sidecar; it was left over when the sidecars came.",
		Command:     p.command(rule, mutual),
		Fix: &doctor.Fix{
			Title:   fmt.Sprintf("Set DestinationRule %s back to ISTIO_MUTUAL", rule.GetName()),
			Impact:  doctor.Safe,
			Changes: []cluster.Change{setMode(rule, disable, mutual)},
		},
	}, nil
}
