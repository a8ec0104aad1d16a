package tenancy

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var NamespaceDeletion = &doctor.Check{
	ID:    "tenancy/namespace-deletion",
	Title: "No namespace is stuck in Terminating",
	Why: "A namespace that is being deleted stays Terminating until everything in it is gone. An object whose controller is no longer " +
		"running, or an API that does not respond, blocks it indefinitely. Meanwhile nothing can be created in it, and an install into it " +
		"fails.",
	FixNote: "No automatic fix: removing finalizers by force leaves behind what they were meant to clean up. The finding shows what remains.",
	Reads:   []schema.GroupKind{kube.NamespaceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, ns := range namespaces {
			if kube.Text(ns.Object, "status", "phase") != "Terminating" || !workloads.IsKubeflow(ns) {
				continue
			}
			if left, mayPass := remaining(ns); len(left) > 0 {
				findings = append(findings, stuckFinding(ns, left, mayPass))
			}
		}
		return findings, nil
	},
}

// blockingConditions are the namespace conditions that, when true, show what blocks its deletion.
var blockingConditions = map[string]bool{
	"NamespaceDeletionDiscoveryFailure": true, "NamespaceDeletionGroupVersionParsingFailure": true, "NamespaceDeletionContentFailure": true,
	finalizersRemain: true,
}

// finalizersRemain is true for a short time in most deletions, until pods end and release their volumes.
const finalizersRemain = "NamespaceFinalizersRemaining"

// remaining returns what is left in a namespace, and whether the deletion may still complete on its own.
func remaining(namespace *unstructured.Unstructured) (left []string, mayPass bool) {
	mayPass = true
	for _, c := range kube.Conditions(namespace) {
		if blockingConditions[c.Type] && c.Status == metav1.ConditionTrue {
			left = append(left, c.Message)
			mayPass = mayPass && c.Type == finalizersRemain
		}
	}
	return left, mayPass
}

func stuckFinding(namespace *unstructured.Unstructured, left []string, mayPass bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(namespace), Field: "status.conditions"},
		Message:     kube.KindName(namespace) + " is stuck in Terminating",
		Consequence: "Nothing can be created in it.",
		Cause:       strings.Join(left, " "),
		Advice: "Get the controller of the finalizer, or the unresponsive API, running again, or delete those objects by hand; the namespace is " +
			"then removed automatically.",
		Command: "kubectl get namespace " + escape.Word(namespace.GetName()) + " -o jsonpath='{.status.conditions}'",
	}
	if mayPass {
		f.Severity, f.Message = doctor.Warning, kube.KindName(namespace)+" is Terminating and waiting for finalizers"
	}
	return f
}
