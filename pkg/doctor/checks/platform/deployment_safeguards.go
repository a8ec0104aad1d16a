package platform

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
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var DeploymentSafeguards = &doctor.Check{
	ID:    "platform/deployment-safeguards",
	Title: "No policy blocks Kubeflow's workloads",
	Why: "AKS Deployment Safeguards and Azure Policy reject objects that violate them: images with the tag latest or from an unknown " +
		"registry, containers without probes or limits, privileged pods. On AKS Automatic they are enabled. Kubeflow's manifests violate " +
		"some of them, so parts of Kubeflow are rejected, some only when their pods are created.",
	FixNote:   "No automatic fix: exclude Kubeflow's namespaces from the policies in Azure.",
	Sources:   []string{"Azure/kubeflow-aks#39", "https://learn.microsoft.com/azure/aks/deployment-safeguards"},
	Reads:     []schema.GroupKind{templateKind, {Group: constraintGroup, Kind: "*"}, kube.NamespaceKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		namespaces, err := targetNamespaces(ctx, e)
		if err != nil || len(namespaces) == 0 {
			return nil, err
		}
		templates, err := workloads.ListIfKnown(ctx, e, templateKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var denying []*unstructured.Unstructured
		for _, t := range templates {
			kind := kube.Text(t.Object, "spec", "crd", "spec", "names", "kind")
			list, err := workloads.ListIfKnown(ctx, e, schema.GroupKind{Group: constraintGroup, Kind: kind}, cluster.Scope{})
			if err != nil {
				return nil, err
			}
			denying = append(denying, list...)
		}
		return policyFindings(denying, namespaces), nil
	},
}

const constraintGroup = "constraints.gatekeeper.sh"

// targetNamespaces returns the namespaces that an install writes to; without an install, Kubeflow's existing ones.
func targetNamespaces(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	targets := map[string]bool{}
	if e.Install != nil {
		for _, o := range e.Install.Objects {
			targets[o.GetNamespace()] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(namespaces), func(ns *unstructured.Unstructured) bool {
		return e.Install != nil && (!targets[ns.GetName()] || ns.GetName() == "kube-system") || e.Install == nil && !workloads.IsKubeflow(ns)
	}), nil
}

// policyFindings reports the Azure policies that deny objects in Kubeflow's namespaces.
func policyFindings(policies, namespaces []*unstructured.Unstructured) []doctor.Finding {
	var denying []*unstructured.Unstructured
	touched := map[string]bool{}
	for _, p := range policies {
		if !denies(p) {
			continue
		}
		for _, ns := range namespaces {
			if appliesTo(p, ns.GetName()) {
				touched[ns.GetName()] = true
				if !slices.Contains(denying, p) {
					denying = append(denying, p)
				}
			}
		}
	}
	if len(denying) == 0 {
		return nil
	}
	var where []string
	for _, ns := range namespaces {
		if touched[ns.GetName()] {
			where = append(where, ns.GetName())
		}
	}
	return []doctor.Finding{{
		Severity: doctor.Warning,
		About:    doctor.Subject{Ref: cluster.RefOf(denying[0])},
		Message: fmt.Sprintf("Azure Policy rejects objects in %s (%s: %s)", text.Names(where, text.Most, func(s string) string { return s }), text.Plural(len(denying), "constraint"),
			text.Names(denying, text.Most, (*unstructured.Unstructured).GetKind)),
		Consequence: "Parts of Kubeflow may be rejected, some only when their pods are created.",
		Advice:      "Exclude these namespaces from Deployment Safeguards and Azure Policy: " + strings.Join(where, ", ") + ".",
		Command:     "kubectl kubeflow install --dry-run=server",
	}}
}

// denies reports whether an Azure policy rejects violations rather than auditing or warning.
func denies(p *unstructured.Unstructured) bool {
	action := kube.Text(p.Object, "spec", "enforcementAction")
	return strings.HasPrefix(p.GetKind(), "K8sAzure") && (action == "" || action == "deny")
}

// appliesTo reports whether a constraint applies to a namespace.
func appliesTo(p *unstructured.Unstructured, namespace string) bool {
	only, not := kube.Texts(p.Object, "spec", "match", "namespaces"), kube.Texts(p.Object, "spec", "match", "excludedNamespaces")
	fits := func(pattern string) bool {
		prefix, wild := strings.CutSuffix(pattern, "*")
		return pattern == namespace || wild && strings.HasPrefix(namespace, prefix)
	}
	return (len(only) == 0 || slices.ContainsFunc(only, fits)) && !slices.ContainsFunc(not, fits)
}

var templateKind = schema.GroupKind{Group: "templates.gatekeeper.sh", Kind: "ConstraintTemplate"}
