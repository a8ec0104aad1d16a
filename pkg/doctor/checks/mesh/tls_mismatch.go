package mesh

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
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
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(b.rule), Field: b.policy.field},
		Message:     fmt.Sprintf(mismatchMessage, kube.KindName(b.rule), kube.Text(b.rule.Object, "spec", "host")),
		Consequence: mismatchImpact,
	}
	if b.withSidecar > 0 {
		f.Severity = doctor.Warning
		f.Message = fmt.Sprintf(partialMismatchMessage,
			kube.KindName(b.rule), len(b.servers)-b.withSidecar, text.Plural(len(b.servers), "server"), kube.Text(b.rule.Object, "spec", "host"))
		f.Consequence = partialMismatchImpact
	}
	b.setCause(&f)
	if mesh == OptionDisable && b.withSidecar == 0 {
		b.offerDisable(&f)
	}
	return f
}

const OptionDisable = "disable" // as --mesh takes it

func (b tlsMismatch) setCause(f *doctor.Finding) {
	optOut := !slices.ContainsFunc(b.servers, func(pod *unstructured.Unstructured) bool { return !inMesh(pod) && !optsOut(pod) })
	cause := mismatchCauses[b.injection]
	if optOut && b.injection != webhooks.Excluded {
		cause = optOutCause
	}
	cause.explain(f, b.namespace.GetName())
	if b.injection == webhooks.NotRequested && !optOut {
		b.offerLabel(f)
	}
}

const sidecarsID = "mesh/sidecars"

// offerLabel offers to label Kubeflow's own namespace. A profile namespace is left to its owner.
func (b tlsMismatch) offerLabel(f *doctor.Finding) {
	if b.namespace.GetName() != workloads.Namespace || b.namespace.GetUID() == "" || b.namespace.GetLabels()["istio-injection"] == "disabled" {
		return
	}
	f.Fix = &doctor.Fix{
		Title:   labelFix,
		Impact:  doctor.Safe, // running pods are unchanged: mesh/sidecars reports them
		Changes: []cluster.Change{cluster.Edit(b.namespace, requestSidecars)},
	}
}

func requestSidecars(namespace *unstructured.Unstructured) {
	_ = unstructured.SetNestedField(namespace.Object, "enabled", "metadata", "labels", "istio-injection")
}

// offerDisable offers what older guides do, only with --mesh=disable.
func (b tlsMismatch) offerDisable(f *doctor.Finding) {
	f.ExplainedBy = ""
	f.Advice = disableAdvice
	f.Command = b.policy.command(b.rule, modeDisable)
	f.Fix = &doctor.Fix{
		Title:   fmt.Sprintf(disableFix, b.rule.GetName()),
		Impact:  doctor.Safe,
		Changes: []cluster.Change{setMode(b.rule, modeMutual, modeDisable)},
	}
}
