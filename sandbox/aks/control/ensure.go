package control

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// Manager is the field manager of the controllers of Kubeflow: the name of their binary.
const Manager = "manager"

// Ensure creates an object, or sets the fields that differ; what others added to it stays. A kind that is not served is an
// error that apierrors.IsNotFound recognizes.
func Ensure(ctx context.Context, client dynamic.Interface, kind schema.GroupVersionResource, want *unstructured.Unstructured) error {
	in := client.Resource(kind).Namespace(want.GetNamespace())
	have, err := in.Get(ctx, want.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = in.Create(ctx, want, metav1.CreateOptions{FieldManager: Manager})
		return err
	}
	if err != nil {
		return err
	}
	if within(want.Object, have.Object) {
		return nil
	}
	merge(have.Object, want.Object)
	_, err = in.Update(ctx, have, metav1.UpdateOptions{FieldManager: Manager})
	return err
}

// within reports whether have contains every field of want. Lists are compared item by item.
func within(want, have any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok {
			return len(want) == 0
		}
		for key, value := range want {
			if !within(value, have[key]) {
				return false
			}
		}
		return true
	case []any:
		have, ok := have.([]any)
		if !ok || len(want) != len(have) {
			return len(want) == 0 && !ok
		}
		for i := range want {
			if !within(want[i], have[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(want, have)
}

// merge sets the fields of want in have; a list replaces the list.
func merge(have, want map[string]any) {
	for key, value := range want {
		inner, ok := value.(map[string]any)
		outer, both := have[key].(map[string]any)
		if ok && both {
			merge(outer, inner)
			continue
		}
		have[key] = value
	}
}

// Unstructured converts a typed object of this group and version.
func Unstructured(object runtime.Object, apiVersion, kind string) (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("converting %s: %w", kind, err)
	}
	u := &unstructured.Unstructured{Object: fields}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	unstructured.RemoveNestedField(fields, "status")
	unstructured.RemoveNestedField(fields, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(fields, "spec", "template", "metadata", "creationTimestamp")
	return u, nil
}

// OwnedBy makes an object the controller of another.
func OwnedBy(o, owner *unstructured.Unstructured) {
	yes := true
	o.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: owner.GetName(), UID: owner.GetUID(),
		Controller: &yes, BlockOwnerDeletion: &yes,
	}})
}
