package checks

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var oneOfEach = &doctor.Check{
	ID:    "platform/one-of-each",
	Title: "cert-manager and Knative are there once",
	Why: "cert-manager and Knative work for the whole cluster: their definitions and webhooks exist once. A second copy in another namespace takes the definitions over, and both copies " +
		"then act on the same certificates and services.",
	Cure:      "Nothing is changed: keep the copy that you want. Install Kubeflow without its own (install --skip cert-manager), or remove the other first.",
	Reads:     []schema.GroupKind{deploymentKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		var findings []doctor.Finding
		for _, part := range singletons {
			copies, err := e.List(ctx, deploymentKind, cluster.Scope{Labels: "app=" + part.app})
			if err != nil {
				return nil, err
			}
			if f, found := judgeCopies(part.name, copies, e.Install); found {
				findings = append(findings, f)
			}
		}
		return findings, nil
	},
}

// singletons are recognised by the label app of one of their Deployments, the same in every version.
var singletons = []struct{ name, app string }{
	{"cert-manager", "cert-manager"},
	{"Knative Serving", "activator"},
}

// judgeCopies is silent where an install leaves what is there alone.
func judgeCopies(name string, copies []*unstructured.Unstructured, coming *doctor.Installation) (doctor.Finding, bool) {
	var own, other *unstructured.Unstructured
	for _, c := range copies {
		if mine := coming != nil && coming.Brings(cluster.RefOf(c)) || coming == nil && own == nil; mine {
			own = c
		} else {
			other = c
		}
	}
	if own == nil || other == nil {
		return doctor.Finding{}, false
	}
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(other)},
		Message:     fmt.Sprintf("there are two of %s: in namespaces %s and %s", name, own.GetNamespace(), other.GetNamespace()),
		Consequence: "Both act on the same objects of the whole cluster.",
		Advice:      "Keep one of them.",
	}
	if coming != nil {
		f.Message = fmt.Sprintf("there is a %s already, in namespace %s", name, other.GetNamespace())
		f.Advice = fmt.Sprintf("Use it, with --skip %s, or remove it first.", coming.Component[cluster.RefOf(own).Identity()])
	}
	return f, true
}
