package doctor

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

const apiExtensions = "apiextensions.k8s.io"

// recreate makes an object again that a run deleted.
func recreate(ctx context.Context, client *cluster.Client, before *unstructured.Unstructured) error {
	o := before.DeepCopy()
	for _, field := range []string{"resourceVersion", "uid", "managedFields", "creationTimestamp", "generation", "selfLink"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(o.Object, "status")
	definition := o.GroupVersionKind().GroupKind() == schema.GroupKind{Group: apiExtensions, Kind: "CustomResourceDefinition"}
	if old, err := bornOld(ctx, client, o); err != nil {
		return err
	} else if definition && old {
		asV1beta1(o)
	}
	_, err := client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: Manager, Force: true})
	if definition {
		client.Forget()
	}
	return err
}

// bornOld tells whether a definition has a form that only v1beta1 of the API accepts anew, where the server still has that.
func bornOld(ctx context.Context, client *cluster.Client, definition *unstructured.Unstructured) (bool, error) {
	pruning, _, _ := unstructured.NestedBool(definition.Object, "spec", "preserveUnknownFields")
	if !pruning {
		return false, nil
	}
	return client.View().Serves(ctx, schema.GroupVersionKind{Group: apiExtensions, Version: "v1beta1", Kind: "CustomResourceDefinition"})
}

// asV1beta1 rewrites a definition for the older version of the API, which spells one field otherwise.
func asV1beta1(definition *unstructured.Unstructured) {
	definition.SetAPIVersion(apiExtensions + "/v1beta1")
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	for _, item := range versions {
		version, _ := item.(map[string]any)
		columns, _ := version["additionalPrinterColumns"].([]any)
		for _, c := range columns {
			if column, ok := c.(map[string]any); ok {
				column["JSONPath"] = column["jsonPath"]
				delete(column, "jsonPath")
			}
		}
	}
	_ = unstructured.SetNestedSlice(definition.Object, versions, "spec", "versions")
}

// remove deletes an object that a run made, and waits until a definition is really gone.
func remove(ctx context.Context, client *cluster.Client, ref cluster.Ref) error {
	now, err := client.View().Get(ctx, ref)
	if err != nil {
		return err
	}
	_, err = client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: now}, cluster.Options{Manager: Manager})
	if err != nil || ref.Kind != "CustomResourceDefinition" {
		return err
	}
	defer client.Forget()
	return until(ctx, patience, func() (bool, error) {
		_, err := client.View().Get(ctx, ref)
		return apierrors.IsNotFound(err), nil
	})
}
