package inventory

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// takenOverAnnotation is on a record that was taken over until it is written again: without the marker, there may be more.
const takenOverAnnotation = "kubectl-kubeflow/taken-over"

// markerName is the ConfigMap which says that the records of older versions have been taken over.
const markerName = namePrefix + "taken.over" // a dot is in no installation's name

// TakeOver moves the records of older versions into this program's namespace, once: then it deletes them and ignores what turns up
// in their place. The caller holds the Lease.
func TakeOver(ctx context.Context, client *cluster.Client, all []*Inventory) error {
	var moved []string
	for _, v := range all {
		if v == nil || v.Old == nil || v.Live != nil {
			continue
		}
		want, err := v.Encode()
		if err != nil {
			return err
		}
		want.SetAnnotations(map[string]string{takenOverAnnotation: v.Old.GetNamespace() + "/" + v.Old.GetName()})
		if v.Live, err = create(ctx, client, want); err != nil {
			return err
		}
		moved = append(moved, cluster.RefOf(v.Old).String())
	}
	if len(moved) == 0 {
		return nil
	}
	if _, err := create(ctx, client, marker(moved)); err != nil {
		return err
	}
	for _, v := range all {
		if v == nil || v.Old == nil {
			continue
		}
		_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: v.Old}, cluster.Options{Manager: Manager})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && !apierrors.IsForbidden(err) {
			return fmt.Errorf("deleting the record of an older version: %w", err)
		}
		v.Old = nil
	}
	return nil
}

// create creates a record, or returns the one that an interrupted run has created.
func create(ctx context.Context, client *cluster.Client, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	live, err := client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: Manager, Force: true})
	if err != nil {
		return nil, fmt.Errorf("taking over the records of an older version: %w", err)
	}
	return live, nil
}

// IsMarker reports whether an object is the one which says that the records of older versions have been taken over.
func IsMarker(o *unstructured.Unstructured) bool {
	return o.GetNamespace() == state.Namespace && o.GetName() == markerName
}

func marker(moved []string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": markerName, "namespace": state.Namespace, "labels": map[string]any{ManagedByLabel: Manager, partLabel: inventoryLabel}},
		"data":     map[string]any{"moved": strings.Join(moved, "\n")},
	}}
}
