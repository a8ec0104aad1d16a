package mesh

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
)

var Sidecars = &doctor.Check{
	ID:    "mesh/sidecars",
	Title: "Pods that require a sidecar have one",
	Why: "The label istio-injection=enabled on a namespace requests Istio sidecars for its pods. A pod that was created while the injector " +
		"was unavailable, or excluded from the namespace, has none: it cannot accept mutual TLS, and no AuthorizationPolicy protects it.",
	FixNote: "If the injector is active now, --fix restarts the workloads whose pods have no sidecar (with --allow-restart). If " +
		"platform/admissions-enforcer explains the finding, fixing that one fixes this one.",
	Sources: []string{"kubeflow/manifests#2798", "kubeflow/kubeflow#5271"},
	Reads:   []schema.GroupKind{kube.NamespaceKind, kube.PodKind, kube.ReplicaSetKind, kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.MutatingWebhookConfigurationKind, kube.EndpointSliceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		namespaces, err := injectedNamespaces(ctx, e)
		if err != nil {
			return nil, err
		}
		if len(namespaces) == 0 {
			return nil, doctor.Skip("no Kubeflow namespace requests sidecars")
		}
		var findings []doctor.Finding
		for _, ns := range namespaces {
			b, err := FindMissingSidecars(ctx, e, ns)
			if err != nil {
				return nil, err
			}
			if len(b.pods) == 0 {
				continue
			}
			why, err := webhooks.InjectionIn(ctx, e, ns)
			if err != nil {
				return nil, err
			}
			findings = append(findings, sidecarFinding(b, why))
		}
		return findings, nil
	},
}

func sidecarFinding(b MissingSidecars, why webhooks.Injection) doctor.Finding {
	name := b.namespace.GetName()
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(b.namespace)},
		Message:     fmt.Sprintf("Namespace %s has %s without a sidecar: %s", name, text.Plural(len(b.pods), "pod"), text.Names(b.pods, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: "They cannot accept mutual TLS, and no AuthorizationPolicy protects them.",
		Command:     fmt.Sprintf("kubectl rollout restart -n %s deployment,statefulset,daemonset", name),
	}
	switch why {
	case webhooks.Excluded:
		f.Cause = "The AKS admissions enforcer keeps the sidecar injector out of this namespace."
		f.ExplainedBy, f.Command = admissionsEnforcerID, ""
	case webhooks.WillInject:
		f.Cause = "The pods were created before the injector was ready."
		offerRestart(b, &f)
	case webhooks.NoEndpoints:
		f.Cause = "The sidecar injector has no ready endpoint."
		f.Advice = "Check why its pods are not ready; then restart the workloads."
		f.Command = "kubectl get pods -n " + dashboard.KubeflowNamespace
	default:
		f.Cause = "No sidecar injector selects this namespace."
		f.Advice = "Install Istio's injector, or compare the namespace's labels with the injector's namespaceSelector."
		f.Command = "kubectl get mutatingwebhookconfigurations"
	}
	return f
}

// admissionsEnforcerID is a constant here because the check itself, in platform, imports this package.
const admissionsEnforcerID = "platform/admissions-enforcer"

func offerRestart(b MissingSidecars, f *doctor.Finding) {
	if len(b.orphans) > 0 {
		f.Advice = "No controller recreates these pods, so delete and recreate them yourself: " + text.Names(b.orphans, text.Most, (*unstructured.Unstructured).GetName) + "."
	}
	if len(b.Workloads) == 0 {
		return
	}
	f.Fix = &doctor.Fix{
		Title:   fmt.Sprintf("Restart %s in namespace %s", text.Plural(len(b.Workloads), "workload"), b.namespace.GetName()),
		Impact:  doctor.RestartsPods,
		Changes: b.Restarts(),
	}
}
