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
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
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
	Writes:  destinationRuleWrites,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		rules, err := e.List(ctx, destinationRuleKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		users, err := workloads.ProfileNamespaces(ctx, e)
		if err != nil && !e.Without(err) {
			return nil, err
		}
		var findings []doctor.Finding
		judged := false
		for _, rule := range rules {
			if namespace, _ := hostServices(rule); !workloads.IsSystem(namespace) && users[namespace] == nil {
				continue // other teams' rules are their own
			}
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

// The texts of the findings.
const (
	mismatchMessage        = "%s requires mutual TLS, but no server behind %s has a sidecar"
	mismatchImpact         = "Calls through the mesh fail with 503 \"upstream connect error\", and the matching dashboard page stays empty."
	partialMismatchMessage = "%s requires mutual TLS, but sidecars are missing on %d of %s behind %s"
	partialMismatchImpact  = "Some calls through the mesh fail with 503 \"upstream connect error\"."
	labelFix               = "Enable sidecar injection in namespace " + workloads.Namespace
	disableAdvice          = "Without mutual TLS, no AuthorizationPolicy protects the servers, and they trust whatever kubeflow-userid header a caller sends."
	disableFix             = "Disable mutual TLS in DestinationRule %s"
	disabledMessage        = "%s disables mutual TLS, but every server behind it has a sidecar"
	disabledImpact         = "The servers do not see the caller's identity: AuthorizationPolicies that name a caller return \"RBAC: access denied\"."
	disabledCause          = "Some guides set DISABLE for servers without sidecars; it was left in place when the sidecars were added."
	disabledFix            = "Set DestinationRule %s back to ISTIO_MUTUAL"
)

// mismatchCauses explain why servers have no sidecar, by what would happen to a pod created now.
var mismatchCauses = map[webhooks.Injection]sidecarCause{
	webhooks.WillInject: {
		cause:       "The servers' pods were created before the sidecar injector.",
		explainedBy: sidecarsID,
	},
	webhooks.Excluded: {
		cause:       "The AKS admissions enforcer keeps the sidecar injector out of namespace NAMESPACE.",
		explainedBy: admissionsEnforcerID,
	},
	webhooks.NotRequested: {
		cause:   "Namespace NAMESPACE does not request sidecars: the label that the injector selects is missing.",
		advice:  "Label the namespace, then restart its workloads.",
		command: "kubectl label namespace NAMESPACE istio-injection=enabled\nkubectl rollout restart -n NAMESPACE deployment",
	},
	webhooks.NoEndpoints: {
		cause:   "The sidecar injector has no ready endpoint, so pods are created without a sidecar.",
		advice:  "Check why its pods are not ready; then restart the workloads.",
		command: "kubectl get pods -n " + dashboard.KubeflowNamespace,
	},
	webhooks.NoInjector: {
		cause:   "No sidecar injector is installed on this cluster.",
		advice:  "Install Istio's injector, or remove the rule.",
		command: "kubectl get mutatingwebhookconfigurations",
	},
}

// optOutCause applies if all servers without a sidecar opt out of it, whatever their namespace requests.
var optOutCause = sidecarCause{
	cause:   "The servers' pods opt out of sidecars (" + injectLabel + ": \"false\").",
	advice:  "Remove the opt-out from the workload's pod template, or remove the rule: they contradict each other.",
	command: "kubectl get pods -n NAMESPACE -o yaml | grep " + injectLabel,
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
		Message:     fmt.Sprintf(disabledMessage, kube.KindName(rule)),
		Consequence: disabledImpact,
		Cause:       disabledCause,
		Command:     p.command(rule, modeMutual),
		Fix: &doctor.Fix{
			Title:   fmt.Sprintf(disabledFix, rule.GetName()),
			Impact:  doctor.Safe,
			Changes: []cluster.Change{setMode(rule, modeDisable, modeMutual)},
		},
	}, nil
}

var destinationRuleKind = schema.GroupKind{Group: "networking.istio.io", Kind: "DestinationRule"}
