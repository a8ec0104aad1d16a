package preflight

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// recreation decides how one object is recreated. claims are the PVCs in its namespace.
func recreation(before, want *unstructured.Unstructured, claims []*unstructured.Unstructured) plan.Recreation {
	ref := cluster.RefOf(before)
	how := plan.Recreation{Effect: "the objects that it created are recreated as well"}
	switch kind := ref.GroupKind().String(); {
	case plan.Retained(ref):
		return plan.Recreation{Refusal: "it holds data or other people's objects"}
	case kind == "StatefulSet.apps" && selectsPodsOf(want, before):
		return plan.Recreation{Orphan: true, Effect: "its pods and PVCs stay, and are adopted"}
	case kind == "StatefulSet.apps":
		how = plan.Recreation{Whole: true, Effect: "its pods are replaced, its PVCs stay"}
	case plan.PodTemplate(before) != nil:
		how = plan.Recreation{Whole: true, Effect: "its pods are replaced"}
	case kind == "Service" && kube.Text(before.Object, "spec", "type") == "LoadBalancer":
		how.Effect = "its address may change"
	case kind == "Service":
		how.Effect = "its cluster IP changes"
	case harmless(before):
		how = plan.Recreation{Harmless: true, Effect: "nothing else is deleted with it"}
	case kube.BuiltIn(ref.GroupKind()):
		how.Effect = "nothing else is deleted with it"
	}
	if ownsAny(before, claims) {
		return plan.Recreation{Refusal: "its PVCs would be deleted with it"}
	}
	return how
}

// harmless reports whether recreating an object loses nothing and restarts nothing: a binding holds what its manifest says, and so does a
// configuration of webhooks.
func harmless(o *unstructured.Unstructured) bool {
	switch kind := cluster.RefOf(o).GroupKind(); kind.String() {
	case "RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io":
		return true
	case kube.MutatingWebhookConfigurationKind.String(), kube.ValidatingWebhookConfigurationKind.String():
		return true
	}
	return false
}

// selectsPodsOf reports whether a workload selects the pods that another one created.
func selectsPodsOf(want, before *unstructured.Unstructured) bool {
	return plan.Selector(kube.Map(want.Object, "spec", "selector")).Matches(labels.Set(plan.TemplateLabels(plan.PodTemplate(before))))
}

func ownsAny(o *unstructured.Unstructured, claims []*unstructured.Unstructured) bool {
	return slices.ContainsFunc(claims, func(claim *unstructured.Unstructured) bool {
		return slices.ContainsFunc(claim.GetOwnerReferences(), func(owner metav1.OwnerReference) bool { return owner.UID == o.GetUID() })
	})
}

func claimsInNamespace(ctx context.Context, view cluster.View, o *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	if o.GetNamespace() == "" {
		return nil, nil
	}
	list, err := view.List(ctx, kube.PersistentVolumeClaimKind, cluster.Scope{Namespace: o.GetNamespace(), Metadata: true})
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	return list, err
}
