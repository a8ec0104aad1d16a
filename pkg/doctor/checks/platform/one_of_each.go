package platform

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var OneOfEach = &doctor.Check{
	ID:    "platform/one-of-each",
	Title: "No duplicate cert-manager or Knative",
	Why: "cert-manager and Knative are cluster-wide: their CRDs and webhooks exist once. A second copy in another namespace takes over the " +
		"CRDs, and both copies then act on the same certificates and services.",
	FixNote:    "No automatic fix: keep the copy that you want. Install Kubeflow without its own (install --skip cert-manager), or remove the other first.",
	Reads:      []schema.GroupKind{kube.DeploymentKind},
	Preflight:  true,
	Everywhere: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		var findings []doctor.Finding
		for _, part := range singletons {
			copies, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Labels: "app=" + part.app})
			if err != nil {
				return nil, err
			}
			if f, found := duplicateFinding(part.name, copies, e.Install); found {
				findings = append(findings, f)
			}
		}
		return findings, nil
	},
}

// singletons are identified by the label app of one of their Deployments, the same in every version.
var singletons = []struct{ name, app string }{
	{"cert-manager", "cert-manager"},
	{"Knative Serving", "activator"},
}

// duplicateFinding reports nothing if the install keeps the existing copy.
func duplicateFinding(name string, copies []*unstructured.Unstructured, coming *doctor.Installation) (doctor.Finding, bool) {
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
		Message:     fmt.Sprintf("%s is installed twice: in namespaces %s and %s", name, own.GetNamespace(), other.GetNamespace()),
		Consequence: "Both act on the same cluster-wide objects.",
		Advice:      "Keep one of them.",
	}
	if coming != nil {
		f.Message = fmt.Sprintf("%s is already installed, in namespace %s", name, other.GetNamespace())
		f.Advice = fmt.Sprintf("Use it with --skip %s, or remove it first.", coming.Component[cluster.RefOf(own).Identity()])
	}
	return f, true
}
