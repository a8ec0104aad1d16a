package mesh

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
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
	Writes:  workloads.Restarted(),
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

// The texts of the finding.
const (
	withoutSidecarMessage = "Namespace %s has %s without a sidecar: %s"
	withoutSidecarImpact  = "They cannot accept mutual TLS, and no AuthorizationPolicy protects them."
	orphanAdvice          = "No controller recreates these pods, so delete and recreate them yourself: %s."
	restartFix            = "Restart %s in namespace %s"
)

// withoutSidecarCauses explain why pods have no sidecar, by what would happen to a pod created now.
var withoutSidecarCauses = map[webhooks.Injection]sidecarCause{
	webhooks.WillInject: {
		cause:   "The pods were created before the injector was ready.",
		command: "kubectl rollout restart -n NAMESPACE deployment,statefulset,daemonset",
	},
	webhooks.Excluded: {
		cause:       "The AKS admissions enforcer keeps the sidecar injector out of this namespace.",
		explainedBy: admissionsEnforcerID,
	},
	webhooks.NoEndpoints: {
		cause:   "The sidecar injector has no ready endpoint.",
		advice:  "Check why its pods are not ready; then restart the workloads.",
		command: "kubectl get pods -n " + dashboard.KubeflowNamespace,
	},
	webhooks.NotRequested: notSelected,
	webhooks.NoInjector:   notSelected,
}

var notSelected = sidecarCause{
	cause:   "No sidecar injector selects this namespace.",
	advice:  "Install Istio's injector, or compare the namespace's labels with the injector's namespaceSelector.",
	command: "kubectl get mutatingwebhookconfigurations",
}

// A sidecarCause is why pods have no sidecar, and what to do about it. In its texts NAMESPACE stands for theirs.
type sidecarCause struct{ cause, advice, command, explainedBy string }

func (c sidecarCause) explain(f *doctor.Finding, namespace string) {
	f.Cause = strings.ReplaceAll(c.cause, "NAMESPACE", namespace)
	f.Advice = c.advice
	f.Command = strings.ReplaceAll(c.command, "NAMESPACE", namespace)
	f.ExplainedBy = c.explainedBy
}

func sidecarFinding(b MissingSidecars, why webhooks.Injection) doctor.Finding {
	name := b.namespace.GetName()
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(b.namespace)},
		Message:     fmt.Sprintf(withoutSidecarMessage, name, text.Plural(len(b.pods), "pod"), text.Names(b.pods, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: withoutSidecarImpact,
	}
	withoutSidecarCauses[why].explain(&f, name)
	if why == webhooks.WillInject {
		offerRestart(b, &f)
	}
	return f
}

// admissionsEnforcerID is a constant here because the check itself, in platform, imports this package.
const admissionsEnforcerID = "platform/admissions-enforcer"

func offerRestart(b MissingSidecars, f *doctor.Finding) {
	if len(b.orphans) > 0 {
		f.Advice = fmt.Sprintf(orphanAdvice, text.Names(b.orphans, text.Most, (*unstructured.Unstructured).GetName))
	}
	if len(b.Workloads) == 0 {
		return
	}
	f.Fix = &doctor.Fix{
		Title:   fmt.Sprintf(restartFix, text.Plural(len(b.Workloads), "workload"), b.namespace.GetName()),
		Impact:  doctor.RestartsPods,
		Changes: b.Restarts(),
	}
}
