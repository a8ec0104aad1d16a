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
)

var Ownership = &doctor.Check{
	ID:    "platform/ownership",
	Title: "No ownership conflicts",
	Why: "Istio, cert-manager or Knative may already be managed on a cluster by Helm, Argo CD, Flux, an operator or AKS. An install that " +
		"overwrites their objects works briefly: then the other manager reverts them, and both installations break.",
	FixNote: "No automatic fix: you decide who manages them. Skip the component (install --skip COMPONENT), or adopt it (install --adopt " +
		"COMPONENT) and stop the other manager.",
	Sources:   []string{"https://kubernetes.io/docs/reference/using-api/server-side-apply/"},
	Reads:     []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.CustomResourceDefinitionKind, kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		if e.Install == nil {
			return nil, doctor.Skip("nothing is being installed")
		}
		var owned []owned
		for _, kind := range []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.CustomResourceDefinitionKind, kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
			list, err := e.Install.Now.List(ctx, kind, cluster.Scope{Metadata: true})
			if err != nil {
				return nil, err
			}
			owned = append(owned, foreign(list, e.Install)...)
		}
		return judgeOwners(owned), nil
	},
}

// An owned object is one that an install would write over, with who manages it.
type owned struct {
	ref       cluster.Ref
	component string
	owner     string
}

// foreign returns the objects that somebody else manages and that are about to be written over.
func foreign(there []*unstructured.Unstructured, coming *doctor.Installation) []owned {
	var list []owned
	for _, o := range there {
		ref := cluster.RefOf(o)
		if !coming.Brings(ref) || coming.Ours[ref.Identity()] || coming.Adopts(ref) {
			continue
		}
		if owner := ownerOf(o); owner != "" {
			list = append(list, owned{ref, coming.Component[ref.Identity()], owner})
		}
	}
	return list
}

// ownerOf says who manages an object, by the marks that they leave. The label managed-by=Helm alone is none: manifests that
// were once rendered from a chart carry it too, Kubeflow's among them.
func ownerOf(o *unstructured.Unstructured) string {
	labels, notes := o.GetLabels(), o.GetAnnotations()
	for _, mark := range []struct{ name, who string }{
		{labels["helm.toolkit.fluxcd.io/name"], "Flux, HelmRelease "},
		{labels["kustomize.toolkit.fluxcd.io/name"], "Flux, Kustomization "},
		{before(notes["argocd.argoproj.io/tracking-id"], ":"), "Argo CD, Application "},
		{labels["argocd.argoproj.io/instance"], "Argo CD, Application "},
		{notes["meta.helm.sh/release-name"], "Helm, release "},
		{labels["olm.owner"], "the Operator Lifecycle Manager, "},
	} {
		if mark.name != "" {
			return mark.who + mark.name
		}
	}
	if labels["kubernetes.azure.com/managedby"] == "aks" || labels["addonmanager.kubernetes.io/mode"] == "Reconcile" {
		return "AKS"
	}
	for _, owner := range o.GetOwnerReferences() {
		if owner.Controller != nil && *owner.Controller {
			return owner.Kind + " " + owner.Name
		}
	}
	return ""
}

func before(s, separator string) string {
	s, _, _ = strings.Cut(s, separator)
	return s
}

// judgeOwners says one thing of each owner.
func judgeOwners(all []owned) []doctor.Finding {
	var order []string
	byOwner := map[string][]owned{}
	for _, o := range all {
		if byOwner[o.owner] == nil {
			order = append(order, o.owner)
		}
		byOwner[o.owner] = append(byOwner[o.owner], o)
	}
	var findings []doctor.Finding
	for _, owner := range order {
		list := byOwner[owner]
		var components []string
		for _, o := range list {
			components = append(components, o.component)
		}
		slices.Sort(components)
		parts := strings.Join(slices.Compact(components), ",")
		findings = append(findings, doctor.Finding{
			Severity: doctor.Error,
			About:    doctor.Subject{Ref: list[0].ref},
			Message: fmt.Sprintf("%s managed by %s would be overwritten: %s", text.Plural(len(list), "object"), owner,
				text.Names(list, text.Most, func(o owned) string { return o.ref.String() })),
			Consequence: "Both managers would keep overwriting each other's version.",
			Advice:      fmt.Sprintf("Use the existing objects with --skip %s. Or adopt them with --adopt %s, and stop the other manager.", parts, parts),
		})
	}
	return findings
}
