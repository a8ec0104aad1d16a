package plan

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// A liveState holds the objects of a cluster that decide when others can be applied.
type liveState struct {
	namespaces map[string]*unstructured.Unstructured
	webhooks   []*unstructured.Unstructured // admission webhook configurations
	apis       []*unstructured.Unstructured // aggregated APIs
}

// readLive lists the namespaces, webhook configurations and aggregated APIs of a cluster.
// readLive lists the namespaces, webhook configurations and aggregated APIs of a cluster.
func readLive(ctx context.Context, view cluster.View) (*liveState, error) {
	live := &liveState{namespaces: map[string]*unstructured.Unstructured{}}
	lists := map[schema.GroupKind][]*unstructured.Unstructured{}
	for _, kind := range []schema.GroupKind{kube.NamespaceKind, kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.APIServiceKind} {
		list, err := view.List(ctx, kind, cluster.Scope{})
		if err != nil && !meta.IsNoMatchError(err) {
			return nil, err
		}
		lists[kind] = list
	}
	for _, o := range lists[kube.NamespaceKind] {
		live.namespaces[o.GetName()] = o
	}
	live.webhooks = slices.Concat(lists[kube.MutatingWebhookConfigurationKind], lists[kube.ValidatingWebhookConfigurationKind])
	for _, o := range lists[kube.APIServiceKind] {
		if kube.Map(o.Object, "spec", "service") != nil { // the others are served by the API server itself
			live.apis = append(live.apis, o)
		}
	}
	return live, nil
}

// missingNamespaces returns a Namespace for each namespace that the objects use and neither the request nor the cluster
// has, or that an earlier install created for this reason.
func missingNamespaces(all []*desired, live *liveState, have *inventory.Inventory) []*desired {
	known, ours := map[string]bool{}, map[string]bool{}
	if have != nil {
		for _, ref := range have.Refs() {
			ours[ref.Name] = ours[ref.Name] || ref.GroupKind() == kube.NamespaceKind
		}
	}
	for _, w := range all {
		if w.ref.GroupKind() == kube.NamespaceKind {
			known[w.ref.Name] = true
		}
	}
	for _, always := range []string{"default", "kube-system", "kube-public", "kube-node-lease"} {
		known[always] = true
	}
	var missing []*desired
	for _, w := range all {
		ns := w.object.GetNamespace()
		if ns == "" || known[ns] || live.namespaces[ns] != nil && !ours[ns] {
			continue
		}
		known[ns] = true
		o := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": ns},
		}}
		mark(o)
		missing = append(missing, &desired{ref: cluster.RefOf(o).Identity(), stage: w.stage, object: o})
	}
	return missing
}
