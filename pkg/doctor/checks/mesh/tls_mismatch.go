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

// A tlsMismatch is a rule that requires mutual TLS although some of its servers have no sidecar.
type tlsMismatch struct {
	rule        *unstructured.Unstructured
	policy      policy
	servers     []*unstructured.Unstructured
	withSidecar int // servers that have a sidecar
	namespace   *unstructured.Unstructured
	injection   webhooks.Injection // for a pod created now
}

// finding reports the mismatch with the first cause that applies.
func (b tlsMismatch) finding(mesh string) doctor.Finding {
	f := doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(b.rule), Field: b.policy.field},
		Message: fmt.Sprintf("%s requires mutual TLS, but no server behind %s has a sidecar",
			kube.KindName(b.rule), kube.Text(b.rule.Object, "spec", "host")),
		Consequence: "Calls through the mesh fail with 503 \"upstream connect error\", and the matching dashboard page stays empty.",
	}
	if b.withSidecar > 0 {
		f.Severity = doctor.Warning
		f.Message = fmt.Sprintf("%s requires mutual TLS, but sidecars are missing on %d of %s behind %s",
			kube.KindName(b.rule), len(b.servers)-b.withSidecar, text.Plural(len(b.servers), "server"), kube.Text(b.rule.Object, "spec", "host"))
		f.Consequence = "Some calls through the mesh fail with 503 \"upstream connect error\"."
	}
	b.setCause(&f)
	if mesh == OptionDisable && b.withSidecar == 0 {
		b.offerDisable(&f)
	}
	return f
}

const OptionDisable = "disable" // as --mesh takes it

func (b tlsMismatch) setCause(f *doctor.Finding) {
	name := b.namespace.GetName()
	out := !slices.ContainsFunc(b.servers, func(pod *unstructured.Unstructured) bool { return !inMesh(pod) && !optsOut(pod) })
	switch {
	case b.injection == webhooks.Excluded:
		f.Cause = "The AKS admissions enforcer keeps the sidecar injector out of namespace " + name + "."
		f.ExplainedBy = admissionsEnforcerID
	case out:
		f.Cause = "The servers' pods opt out of sidecars (" + injectLabel + ": \"false\")."
		f.Advice = "Remove the opt-out from the workload's pod template, or remove the rule: they contradict each other."
		f.Command = fmt.Sprintf("kubectl get pods -n %s -o yaml | grep %s", name, injectLabel)
	case b.injection == webhooks.NotRequested:
		f.Cause = "Namespace " + name + " does not request sidecars: the label that the injector selects is missing."
		f.Advice = "Label the namespace, then restart its workloads."
		f.Command = fmt.Sprintf("kubectl label namespace %s istio-injection=enabled\nkubectl rollout restart -n %s deployment", name, name)
		b.offerLabel(f)
	case b.injection == webhooks.NoEndpoints:
		f.Cause = "The sidecar injector has no ready endpoint, so pods are created without a sidecar."
		f.Advice = "Check why its pods are not ready; then restart the workloads."
		f.Command = "kubectl get pods -n " + dashboard.KubeflowNamespace
	case b.injection == webhooks.NoInjector:
		f.Cause = "No sidecar injector is installed on this cluster."
		f.Advice = "Install Istio's injector, or remove the rule."
		f.Command = "kubectl get mutatingwebhookconfigurations"
	default:
		f.Cause = "The servers' pods were created before the sidecar injector."
		f.ExplainedBy = sidecarsID
	}
}

const sidecarsID = "mesh/sidecars"

// offerLabel offers to label Kubeflow's own namespace. A profile namespace is left to its owner.
func (b tlsMismatch) offerLabel(f *doctor.Finding) {
	if b.namespace.GetName() != workloads.Namespace || b.namespace.GetUID() == "" || b.namespace.GetLabels()["istio-injection"] == "disabled" {
		return
	}
	f.Fix = &doctor.Fix{
		Title:  "Enable sidecar injection in namespace " + workloads.Namespace,
		Impact: doctor.Safe, // running pods are unchanged: mesh/sidecars reports them
		Changes: []cluster.Change{cluster.Edit(b.namespace, func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, "enabled", "metadata", "labels", "istio-injection")
		})},
	}
}

// offerDisable offers what older guides do, only with --mesh=disable.
func (b tlsMismatch) offerDisable(f *doctor.Finding) {
	f.ExplainedBy = ""
	f.Advice = "Without mutual TLS, no AuthorizationPolicy protects the servers, and they trust whatever kubeflow-userid header a caller sends."
	f.Command = b.policy.command(b.rule, modeDisable)
	f.Fix = &doctor.Fix{
		Title:   fmt.Sprintf("Disable mutual TLS in DestinationRule %s", b.rule.GetName()),
		Impact:  doctor.Safe,
		Changes: []cluster.Change{setMode(b.rule, modeMutual, modeDisable)},
	}
}
