package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var OneIstio = &doctor.Check{
	ID:    "mesh/one-istio",
	Title: "Only one Istio control plane is installed",
	Why: "Kubeflow installs its own Istio. The AKS Istio add-on does not work alongside a self-installed Istio, and two control planes " +
		"share CRDs and compete for webhooks and certificates: sidecars come from the wrong control plane, or are not injected.",
	FixNote:    "No automatic fix: you choose which Istio stays. Disable the add-on, or install Kubeflow without its own Istio (install --skip istio).",
	Sources:    []string{"https://learn.microsoft.com/azure/aks/istio-about"},
	Reads:      []schema.GroupKind{kube.DeploymentKind},
	Preflight:  true,
	Everywhere: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		planes, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Labels: "app=istiod"})
		if err != nil {
			return nil, err
		}
		older, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Labels: "istio=pilot,app!=istiod"}) // up to Istio 1.4
		if err != nil {
			return nil, err
		}
		return istioFindings(append(slices.Clone(planes), older...), e.Install), nil
	},
}

// The texts of the findings.
const (
	addonMessage     = "the AKS Istio add-on is enabled (%s), and Kubeflow has its own Istio"
	addonImpact      = "The add-on does not work alongside another Istio, and ignores namespaces labeled istio-injection=enabled."
	addonAdvice      = "Disable the add-on, or use it: install with --skip istio and label Kubeflow's namespaces istio.io/rev=%s."
	secondMessage    = "a second Istio control plane is installed: %s"
	secondImpact     = "Both manage the same CRDs and namespaces, and overwrite each other's webhooks and certificates."
	secondAdvice     = "Keep one of them."
	installedMessage = "Istio is already installed: %s"
	installedAdvice  = "Use it with --skip istio, or remove it first."
)

const addonNamespace = "aks-istio-system"

func istioFindings(planes []*unstructured.Unstructured, coming *doctor.Installation) []doctor.Finding {
	var addon, own, other []*unstructured.Unstructured
	for _, p := range planes {
		switch {
		case p.GetNamespace() == addonNamespace:
			addon = append(addon, p)
		case p.GetNamespace() == dashboard.KubeflowNamespace && (p.GetName() == "istiod" || p.GetName() == "istio-pilot"):
			own = append(own, p)
		default:
			other = append(other, p)
		}
	}
	if len(own) == 0 || coming != nil && !coming.Brings(cluster.RefOf(own[0])) {
		return nil // Kubeflow has no Istio of its own, or keeps the existing one
	}
	var findings []doctor.Finding
	if len(addon) > 0 {
		findings = append(findings, doctor.Finding{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(addon[0])},
			Message:     fmt.Sprintf(addonMessage, addon[0].GetName()),
			Consequence: addonImpact,
			Advice:      fmt.Sprintf(addonAdvice, strings.TrimPrefix(addon[0].GetName(), "istiod-")),
			Command:     "az aks mesh disable --resource-group GROUP --name CLUSTER",
		})
	}
	if len(other) > 0 {
		findings = append(findings, secondIstioFinding(other, coming))
	}
	return findings
}

func secondIstioFinding(other []*unstructured.Unstructured, coming *doctor.Installation) doctor.Finding {
	names := text.Names(other, text.Most, func(o *unstructured.Unstructured) string { return cluster.RefOf(o).String() })
	f := doctor.Finding{
		Severity:    doctor.Warning, // two revisions side by side is how an Istio is upgraded
		About:       doctor.Subject{Ref: cluster.RefOf(other[0])},
		Message:     fmt.Sprintf(secondMessage, names),
		Consequence: secondImpact,
		Advice:      secondAdvice,
	}
	if coming != nil {
		f.Severity = doctor.Error
		f.Message = fmt.Sprintf(installedMessage, names)
		f.Advice = installedAdvice
	}
	return f
}
