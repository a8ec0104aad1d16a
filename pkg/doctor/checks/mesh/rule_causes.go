package mesh

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// A broken value is a rule that asks for mutual TLS which some servers cannot answer, with what tells why.
type broken struct {
	rule      *unstructured.Unstructured
	policy    policy
	servers   []*unstructured.Unstructured
	with      int // servers that have a sidecar
	namespace *unstructured.Unstructured
	why       webhooks.Injection // what would happen to a pod made now
}

// finding decides the cause, the first that fits, and what follows from it.
func (b broken) finding(mesh string) doctor.Finding {
	f := doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(b.rule), Field: b.policy.field},
		Message: fmt.Sprintf("%s requires mutual TLS, but no server behind %s has a sidecar",
			kube.KindName(b.rule), kube.Text(b.rule.Object, "spec", "host")),
		Consequence: "Calls through the mesh fail with 503 \"upstream connect error\", and the matching dashboard page stays empty.",
	}
	if b.with > 0 {
		f.Severity = doctor.Warning
		f.Message = fmt.Sprintf("%s requires mutual TLS, but sidecars are missing on %d of %s behind %s",
			kube.KindName(b.rule), len(b.servers)-b.with, text.Plural(len(b.servers), "server"), kube.Text(b.rule.Object, "spec", "host"))
		f.Consequence = "Some calls through the mesh fail with 503 \"upstream connect error\"."
	}
	b.explain(&f)
	if mesh == OptDisable && b.with == 0 {
		b.switchOff(&f)
	}
	return f
}

const OptDisable = "disable" // as --mesh takes it

func (b broken) explain(f *doctor.Finding) {
	name := b.namespace.GetName()
	out := !slices.ContainsFunc(b.servers, func(pod *unstructured.Unstructured) bool { return !meshed(pod) && !optsOut(pod) })
	switch {
	case b.why == webhooks.Excluded:
		f.Cause = "The AKS admissions enforcer keeps the sidecar injector out of namespace " + name + "."
		f.ExplainedBy = admissionsEnforcerID
	case out:
		f.Cause = "The servers' pods opt out of sidecars (" + injectKey + ": \"false\")."
		f.Advice = "Remove the opt-out from the workload's pod template, or remove the rule: they contradict each other."
		f.Command = fmt.Sprintf("kubectl get pods -n %s -o yaml | grep %s", name, injectKey)
	case b.why == webhooks.NotAsked:
		f.Cause = "Namespace " + name + " does not request sidecars: the label that the injector selects is missing."
		f.Advice = "Label the namespace, then restart its workloads."
		f.Command = fmt.Sprintf("kubectl label namespace %s istio-injection=enabled\nkubectl rollout restart -n %s deployment", name, name)
		b.label(f)
	case b.why == webhooks.NotServed:
		f.Cause = "The sidecar injector has no ready endpoint, so pods are created without a sidecar."
		f.Advice = "Check why its pods are not ready; then restart the workloads."
		f.Command = "kubectl get pods -n " + dashboard.KubeflowNamespace
	case b.why == webhooks.NoInjector:
		f.Cause = "No sidecar injector is installed on this cluster."
		f.Advice = "Install Istio's injector, or remove the rule."
		f.Command = "kubectl get mutatingwebhookconfigurations"
	default:
		f.Cause = "The servers' pods were created before the sidecar injector."
		f.ExplainedBy = sidecarsID
	}
}

const sidecarsID = "mesh/sidecars"

// label lets Kubeflow's own namespace ask for sidecars; whether a user's should is the user's to say.
func (b broken) label(f *doctor.Finding) {
	if b.namespace.GetName() != workloads.Namespace || b.namespace.GetUID() == "" || b.namespace.GetLabels()["istio-injection"] == "disabled" {
		return
	}
	f.Fix = &doctor.Fix{
		Title:  "Enable sidecar injection in namespace " + workloads.Namespace,
		Impact: doctor.Safe, // pods that run keep running as they are: mesh/sidecars then finds them
		Changes: []cluster.Change{cluster.Edit(b.namespace, func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, "enabled", "metadata", "labels", "istio-injection")
		})},
	}
}

// switchOff is the older guides' way, for who asks for it.
func (b broken) switchOff(f *doctor.Finding) {
	f.ExplainedBy = ""
	f.Advice = "Without mutual TLS, no AuthorizationPolicy protects the servers, and they trust whatever kubeflow-userid header a caller sends."
	f.Command = b.policy.command(b.rule, Disable)
	f.Fix = &doctor.Fix{
		Title:   fmt.Sprintf("Disable mutual TLS in DestinationRule %s", b.rule.GetName()),
		Impact:  doctor.Safe,
		Changes: []cluster.Change{SetMode(b.rule, Mutual, Disable)},
	}
}
