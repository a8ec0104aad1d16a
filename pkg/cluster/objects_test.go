package cluster

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	configMaps       = schema.GroupKind{Kind: "ConfigMap"}
	destinationRules = schema.GroupKind{Group: "networking.istio.io", Kind: "DestinationRule"}
)

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: destinationrules.networking.istio.io}
spec:
  group: networking.istio.io
  names: {kind: DestinationRule, plural: destinationrules}
  scope: Namespaced
  versions: [{name: v1, served: true}, {name: v1alpha3, served: false}]
`

func TestRenderedObjectsAnswerLikeACluster(t *testing.T) {
	ctx := t.Context()
	view := Objects("rendered manifests", nil, object(t, configMap), object(t, definition))

	t.Run("finds an object whatever the version", func(t *testing.T) {
		o, err := view.Get(ctx, Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "kubeflow", Name: "config"})
		if err != nil || o.GetName() != "config" {
			t.Errorf("got %v, %v", o, err)
		}
	})
	t.Run("says not found as the API does", func(t *testing.T) {
		if _, err := view.Get(ctx, Ref{APIVersion: "v1", Kind: "Secret", Name: "none"}); !apierrors.IsNotFound(err) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("lists by namespace, label and field", func(t *testing.T) {
		for in, want := range map[Scope]int{
			{}: 1, {Namespace: "kubeflow"}: 1, {Namespace: "other"}: 0, {Labels: "a=b"}: 0, {Fields: "metadata.name=config"}: 1,
		} {
			if got, err := view.List(ctx, configMaps, in); err != nil || len(got) != want {
				t.Errorf("%+v: got %d objects, %v; want %d", in, len(got), err, want)
			}
		}
	})
	t.Run("has the kinds that its definitions make, and no others", func(t *testing.T) {
		if _, err := view.List(ctx, destinationRules, Scope{}); err != nil {
			t.Errorf("a defined kind: %v", err)
		}
		if _, err := view.List(ctx, schema.GroupKind{Group: "kubeflow.org", Kind: "MPIJob"}, Scope{}); !meta.IsNoMatchError(err) {
			t.Errorf("an undefined kind: %v", err)
		}
	})
	t.Run("knows which versions are served", func(t *testing.T) {
		for version, want := range map[string]bool{"v1": true, "v1alpha3": false} {
			if got, err := view.Serves(ctx, destinationRules.WithVersion(version)); err != nil || got != want {
				t.Errorf("%s: got %v, %v", version, got, err)
			}
		}
	})
	t.Run("says what it cannot know", func(t *testing.T) {
		var unknowable *ErrUnknowable
		if _, err := view.Version(ctx); !errors.As(err, &unknowable) {
			t.Errorf("the version: %v", err)
		}
		if _, err := view.Can(ctx, "get", configMaps, Scope{}); !errors.As(err, &unknowable) {
			t.Errorf("a permission: %v", err)
		}
	})
}

func TestAKindOfKubernetesItselfIsKnownWithoutObjects(t *testing.T) {
	view := Objects("a test", nil)
	for _, kind := range []string{"Pod", "RuntimeClass.node.k8s.io", "PriorityClass.scheduling.k8s.io", "CertificateSigningRequest.certificates.k8s.io"} {
		if list, err := view.List(t.Context(), schema.ParseGroupKind(kind), Scope{}); err != nil || len(list) != 0 {
			t.Errorf("listing %s: %v, %v", kind, list, err)
		}
	}
	if _, err := view.List(t.Context(), schema.ParseGroupKind("Profile.kubeflow.org"), Scope{}); !meta.IsNoMatchError(err) {
		t.Errorf("listing Profiles without their definition: %v", err)
	}
}

func TestFieldsThatServersSelectByAreEvaluatedWithoutAServer(t *testing.T) {
	pod := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "a", "namespace": "n"},
		"spec": map[string]any{"nodeName": "n1", "hostNetwork": true}, "status": map[string]any{"phase": "Running"},
	}}
	node := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": "n1"}}}
	view := Objects("a test", nil, pod, node)
	for fields, want := range map[string]int{
		"spec.nodeName=n1": 1, "spec.nodeName=n2": 0, "spec.nodeName!=n2": 1, "spec.nodeName=n1,status.phase=Running": 1, "metadata.namespace=n": 1, "spec.hostNetwork=true": 1,
	} {
		if list, err := view.List(t.Context(), schema.GroupKind{Kind: "Pod"}, Scope{Fields: fields}); err != nil || len(list) != want {
			t.Errorf("%s: %d pods, %v; want %d", fields, len(list), err, want)
		}
	}
	if list, err := view.List(t.Context(), schema.GroupKind{Kind: "Node"}, Scope{Fields: "spec.unschedulable=false"}); err != nil || len(list) != 1 {
		t.Errorf("a node that says nothing of it is schedulable: %v, %v", list, err)
	}
}

func TestAFieldThatNoServerSelectsByIsNotAnsweredWithNothing(t *testing.T) {
	_, err := Objects("a test", nil).List(t.Context(), schema.GroupKind{Kind: "Pod"}, Scope{Fields: "spec.priority=1"})
	if !errors.As(err, new(*ErrUnknowable)) {
		t.Errorf("error is %v, want ErrUnknowable", err)
	}
}

func TestWithinShowsOneNamespaceAlone(t *testing.T) {
	view := Within(Objects("the case", nil,
		object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {x: one}}}"), object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: b}}"),
		object(t, "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a}}"), object(t, "{apiVersion: v1, kind: Pod, metadata: {name: q, namespace: b}}"),
		object(t, "{apiVersion: v1, kind: Node, metadata: {name: n}}")), "a")
	for _, c := range []struct {
		kind string
		in   Scope
		want int // -1: unknowable
	}{
		{"Pod", Scope{}, 1}, {"Pod", Scope{Namespace: "a"}, 1}, {"Pod", Scope{Namespace: "b"}, -1}, {"Node", Scope{}, -1},
		{"Namespace", Scope{}, 1}, {"Namespace", Scope{Labels: "x=one"}, 1}, {"Namespace", Scope{Labels: "x=two"}, 0},
	} {
		list, err := view.List(t.Context(), schema.GroupKind{Kind: c.kind}, c.in)
		var unknowable *ErrUnknowable
		if errors.As(err, &unknowable) != (c.want < 0) || c.want >= 0 && (err != nil || len(list) != c.want) {
			t.Errorf("%s %+v: %d objects, %v", c.kind, c.in, len(list), err)
		}
	}
	var unknowable *ErrUnknowable
	if _, err := view.Get(t.Context(), Ref{APIVersion: "v1", Kind: "Pod", Namespace: "b", Name: "q"}); !errors.As(err, &unknowable) {
		t.Errorf("a pod of another namespace: %v", err)
	}
	if _, err := view.Get(t.Context(), Ref{APIVersion: "v1", Kind: "Namespace", Name: "a"}); err != nil {
		t.Error(err)
	}
}
