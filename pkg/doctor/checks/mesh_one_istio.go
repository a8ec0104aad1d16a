package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var oneIstio = &doctor.Check{
	ID:    "mesh/one-istio",
	Title: "there is one Istio, and it is the one that Kubeflow uses",
	Why: "Kubeflow brings its own Istio. AKS's Istio add-on does not work beside one that somebody installed, and two control planes share their definitions and fight over webhooks and " +
		"certificates: sidecars come from the wrong one, or not at all.",
	Cure:      "Nothing is changed: which Istio stays is yours to choose. Disable the add-on, or install Kubeflow without its own (install --skip istio).",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/istio-about"},
	Reads:     []schema.GroupKind{deploymentKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		planes, err := e.List(ctx, deploymentKind, cluster.Scope{Labels: "app=istiod"})
		if err != nil {
			return nil, err
		}
		older, err := e.List(ctx, deploymentKind, cluster.Scope{Labels: "istio=pilot,app!=istiod"}) // up to Istio 1.4
		if err != nil {
			return nil, err
		}
		return judgeIstios(append(slices.Clone(planes), older...), e.Install), nil
	},
}

const addonNamespace = "aks-istio-system"

func judgeIstios(planes []*unstructured.Unstructured, coming *doctor.Installation) []doctor.Finding {
	var addon, own, other []*unstructured.Unstructured
	for _, p := range planes {
		switch {
		case p.GetNamespace() == addonNamespace:
			addon = append(addon, p)
		case p.GetNamespace() == gatewayNamespace && (p.GetName() == "istiod" || p.GetName() == "istio-pilot"):
			own = append(own, p)
		default:
			other = append(other, p)
		}
	}
	if len(own) == 0 || coming != nil && !coming.Brings(cluster.RefOf(own[0])) {
		return nil // Kubeflow has none of its own, or leaves what is there
	}
	var findings []doctor.Finding
	if len(addon) > 0 {
		findings = append(findings, doctor.Finding{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(addon[0])},
			Message:     fmt.Sprintf("AKS's Istio add-on is on (%s), and Kubeflow has an Istio of its own", addon[0].GetName()),
			Consequence: "The add-on does not work beside another Istio, and skips namespaces with istio-injection=enabled.",
			Advice:      "Disable the add-on, or use it: install with --skip istio and label Kubeflow's namespaces istio.io/rev=" + strings.TrimPrefix(addon[0].GetName(), "istiod-") + ".",
			Command:     "az aks mesh disable --resource-group GROUP --name CLUSTER",
		})
	}
	if len(other) > 0 {
		findings = append(findings, judgeSecond(other, coming))
	}
	return findings
}

func judgeSecond(other []*unstructured.Unstructured, coming *doctor.Installation) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning, // two revisions side by side is how an Istio is upgraded
		About:       doctor.Subject{Ref: cluster.RefOf(other[0])},
		Message:     "there is a second Istio: " + names(other, func(o *unstructured.Unstructured) string { return cluster.RefOf(o).String() }),
		Consequence: "Both act on the same definitions and namespaces, and overwrite each other's webhooks and certificates.",
		Advice:      "Keep one of them.",
	}
	if coming != nil {
		f.Severity = doctor.Error
		f.Message = "there is an Istio already: " + names(other, func(o *unstructured.Unstructured) string { return cluster.RefOf(o).String() })
		f.Advice = "Use it, with --skip istio, or remove it first."
	}
	return f
}
