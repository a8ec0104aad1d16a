package checks

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var sidecars = &doctor.Check{
	ID:    "mesh/sidecars",
	Title: "pods that ask for a sidecar have one",
	Why: "A namespace asks for Istio's sidecar with the label istio-injection=enabled. A pod that was made while the injector was not there, or was kept out of the namespace, has none: " +
		"it cannot answer mutual TLS, and no AuthorizationPolicy protects it.",
	Cure:    "Where the injector would act by now, --fix restarts the workloads whose pods lack the sidecar (with --allow-restart). Where platform/admissions-enforcer explains it, curing that one cures this.",
	Sources: []string{"kubeflow/manifests#2798", "kubeflow/kubeflow#5271"},
	Reads:   []schema.GroupKind{namespaceKind, podKind, replicaSetKind, deploymentKind, statefulSetKind, daemonSetKind, mutatingKind, endpointSliceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		namespaces, err := asking(ctx, e)
		if err != nil {
			return nil, err
		}
		if len(namespaces) == 0 {
			return nil, doctor.Skip("no namespace of Kubeflow asks for sidecars")
		}
		var findings []doctor.Finding
		for _, ns := range namespaces {
			b, err := withoutProxy(ctx, e, ns)
			if err != nil {
				return nil, err
			}
			if len(b.pods) == 0 {
				continue
			}
			why, err := injectionIn(ctx, e, ns)
			if err != nil {
				return nil, err
			}
			findings = append(findings, judgeSidecars(b, why))
		}
		return findings, nil
	},
}

func judgeSidecars(b bare, why injection) doctor.Finding {
	name := b.namespace.GetName()
	f := doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(b.namespace)},
		Message: fmt.Sprintf("%s in namespace %s %s no sidecar: %s", some(len(b.pods), "pod"), name, have(len(b.pods)),
			names(b.pods, (*unstructured.Unstructured).GetName)),
		Consequence: "They cannot answer mutual TLS, and no AuthorizationPolicy protects them.",
		Command:     fmt.Sprintf("kubectl rollout restart -n %s deployment,statefulset,daemonset", name),
	}
	switch why {
	case excluded:
		f.Cause = "AKS's admissions enforcer keeps the sidecar injector out of this namespace."
		f.ExplainedBy, f.Command = admissionsEnforcerID, ""
	case willInject:
		f.Cause = "They were made before the injector was ready to act on them."
		prescribeRestart(b, &f)
	case notServed:
		f.Cause = "The sidecar injector has no ready endpoint."
		f.Advice = "See why its pods are not ready; then restart the workloads."
		f.Command = "kubectl get pods -n " + gatewayNamespace
	default:
		f.Cause = "No sidecar injector acts on this namespace."
		f.Advice = "Install Istio's injector, or compare the namespace's labels with the injector's namespaceSelector."
		f.Command = "kubectl get mutatingwebhookconfigurations"
	}
	return f
}

// admissionsEnforcerID is named on its own, since the check that has it reads what this file offers.
const admissionsEnforcerID = "platform/admissions-enforcer"

func prescribeRestart(b bare, f *doctor.Finding) {
	if len(b.orphans) > 0 {
		f.Advice = "Nothing makes these pods again, so delete and make them yourself: " + names(b.orphans, (*unstructured.Unstructured).GetName) + "."
	}
	if len(b.workloads) == 0 {
		return
	}
	f.Fix = &doctor.Fix{
		Title:   fmt.Sprintf("Restart %s in namespace %s", some(len(b.workloads), "workload"), b.namespace.GetName()),
		Impact:  doctor.RestartsPods,
		Changes: b.restarts(),
	}
}

func have(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}
