package tenancy

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

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
			if kube.Text(ns.Object, "status", "phase") != "Terminating" || !workloads.Ours(ns) {
				continue
			}
			if left, mayPass := remains(ns); len(left) > 0 {
				findings = append(findings, judgeStuck(ns, left, mayPass))
			}
		}
		return findings, nil
	},
}

// keeping are the conditions of a namespace that say what keeps it, when they are true.
var keeping = map[string]bool{
	"NamespaceDeletionDiscoveryFailure": true, "NamespaceDeletionGroupVersionParsingFailure": true, "NamespaceDeletionContentFailure": true,
	finalizersRemain: true,
}

// finalizersRemain is true for a while in most deletions: pods that end, volumes that pods still hold.
const finalizersRemain = "NamespaceFinalizersRemaining"

// remains returns what the server says is left in a namespace, and whether that may still go by itself.
func remains(namespace *unstructured.Unstructured) (left []string, mayPass bool) {
	mayPass = true
	for _, c := range kube.Conditions(namespace) {
		if keeping[c.Type] && c.Status == metav1.ConditionTrue {
			left = append(left, c.Message)
			mayPass = mayPass && c.Type == finalizersRemain
		}
	}
	return left, mayPass
}

func judgeStuck(namespace *unstructured.Unstructured, left []string, mayPass bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(namespace), Field: "status.conditions"},
		Message:     kube.KindName(namespace) + " is stuck in Terminating",
		Consequence: "Nothing can be created in it.",
		Cause:       strings.Join(left, " "),
		Advice: "Get the controller of the finalizer, or the unresponsive API, running again, or delete those objects by hand; the namespace is " +
			"then removed automatically.",
		Command: "kubectl get namespace " + namespace.GetName() + " -o jsonpath='{.status.conditions}'",
	}
	if mayPass {
		f.Severity, f.Message = doctor.Warning, kube.KindName(namespace)+" is Terminating and waiting for finalizers"
	}
	return f
}
