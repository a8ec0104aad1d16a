package cluster

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestWhatIsLaidOverAClusterIsSeenWithWhatIsThere(t *testing.T) {
	ctx := context.Background()
	there := Objects("the cluster", nil,
		object(t, `{apiVersion: v1, kind: Namespace, metadata: {name: kubeflow, uid: a, labels: {team: data, mode: old}}}`),
		object(t, `{apiVersion: v1, kind: Namespace, metadata: {name: default, uid: b}}`))
	view := Overlay(there,
		object(t, `{apiVersion: v1, kind: Namespace, metadata: {name: kubeflow, labels: {mode: new}}}`),
		object(t, `{apiVersion: v1, kind: Namespace, metadata: {name: auth}}`),
		object(t, `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: pets.zoo.org},
		  spec: {group: zoo.org, names: {kind: Pet}, versions: [{name: v1, served: true}]}}`))
	list, err := view.List(ctx, schema.GroupKind{Kind: "Namespace"}, Scope{})
	if err != nil || len(list) != 3 || list[0].GetName() != "auth" {
		t.Fatalf("the list is %v (%v), want auth, default and kubeflow", list, err)
	}
	got, err := view.Get(ctx, Ref{APIVersion: "v1", Kind: "Namespace", Name: "kubeflow"})
	if err != nil {
		t.Fatal(err)
	}
	if labels := got.GetLabels(); labels["team"] != "data" || labels["mode"] != "new" || got.GetUID() != "a" {
		t.Errorf("the namespace is %v with uid %q", labels, got.GetUID())
	}
	if before, _ := there.Get(ctx, Ref{APIVersion: "v1", Kind: "Namespace", Name: "kubeflow"}); before.GetLabels()["mode"] != "old" {
		t.Error("the object below was changed")
	}
	if pets, err := view.List(ctx, schema.GroupKind{Group: "zoo.org", Kind: "Pet"}, Scope{}); err != nil || len(pets) != 0 {
		t.Errorf("a kind that is about to be defined lists as %v, %v", pets, err)
	}
	if served, err := view.Serves(ctx, schema.GroupVersionKind{Group: "zoo.org", Version: "v1", Kind: "Pet"}); err != nil || !served {
		t.Errorf("a kind that is about to be defined is served: %v, %v", served, err)
	}
	if _, err := view.List(ctx, schema.GroupKind{Group: "sea.org", Kind: "Fish"}, Scope{}); !meta.IsNoMatchError(err) {
		t.Errorf("a kind that nobody defines lists with %v", err)
	}
}
