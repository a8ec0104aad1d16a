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
		var foreign []foreignObject
		for _, kind := range []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.CustomResourceDefinitionKind, kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
			list, err := e.Install.Now.List(ctx, kind, cluster.Scope{Metadata: true})
			if err != nil {
				return nil, err
			}
			foreign = append(foreign, managedByOthers(list, e.Install)...)
		}
		return ownershipFindings(foreign), nil
	},
}

// A foreignObject is an object that an install would overwrite, with its manager.
type foreignObject struct {
	ref       cluster.Ref
	component string
	manager   string
}

// managedByOthers returns the objects that have another manager and would be overwritten.
func managedByOthers(there []*unstructured.Unstructured, coming *doctor.Installation) []foreignObject {
	var list []foreignObject
	for _, o := range there {
		ref := cluster.RefOf(o)
		if !coming.Brings(ref) || coming.Ours[ref.Identity()] || coming.Adopts(ref) {
			continue
		}
		if owner := managerOf(o); owner != "" {
			list = append(list, foreignObject{ref, coming.Component[ref.Identity()], owner})
		}
	}
	return list
}

// managerOf returns the manager of an object, by the labels and annotations that managers set. The label managed-by=Helm alone is
// not enough: manifests that were once rendered from a chart carry it too, Kubeflow's among them.
func managerOf(o *unstructured.Unstructured) string {
	labels, notes := o.GetLabels(), o.GetAnnotations()
	for _, mark := range []struct{ name, who string }{
		{labels["helm.toolkit.fluxcd.io/name"], "Flux, HelmRelease "},
		{labels["kustomize.toolkit.fluxcd.io/name"], "Flux, Kustomization "},
		{cutAfter(notes["argocd.argoproj.io/tracking-id"], ":"), "Argo CD, Application "},
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

func cutAfter(s, separator string) string {
	s, _, _ = strings.Cut(s, separator)
	return s
}

// ownershipFindings returns one finding for each manager.
func ownershipFindings(all []foreignObject) []doctor.Finding {
	var order []string
	byOwner := map[string][]foreignObject{}
	for _, o := range all {
		if byOwner[o.manager] == nil {
			order = append(order, o.manager)
		}
		byOwner[o.manager] = append(byOwner[o.manager], o)
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
				text.Names(list, text.Most, func(o foreignObject) string { return o.ref.String() })),
			Consequence: "Both managers would keep overwriting each other's version.",
			Advice:      fmt.Sprintf("Use the existing objects with --skip %s. Or adopt them with --adopt %s, and stop the other manager.", parts, parts),
		})
	}
	return findings
}
