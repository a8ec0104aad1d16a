package fixes

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const apiExtensions = "apiextensions.k8s.io"

// restored returns an object that a run deleted as it is created again.
func restored(before *unstructured.Unstructured) *unstructured.Unstructured {
	o := before.DeepCopy()
	for _, field := range []string{"resourceVersion", "uid", "managedFields", "creationTimestamp", "generation", "selfLink"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(o.Object, "status")
	return o
}

// write makes the change that undoes a step.
func write(ctx context.Context, client *cluster.Client, change cluster.Change) error {
	switch change.Verb {
	case cluster.Create:
		return restore(ctx, client, change.After)
	case cluster.Delete:
		return remove(ctx, client, change.Before)
	}
	_, err := client.Do(ctx, change, cluster.Options{Manager: doctor.Manager})
	return err
}

// restore creates an object that a run deleted. One that has its name meanwhile stays as it is.
func restore(ctx context.Context, client *cluster.Client, wanted *unstructured.Unstructured) error {
	o := wanted.DeepCopy()
	isCRD := o.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind
	if old, err := bornOld(ctx, client, o); err != nil {
		return err
	} else if isCRD && old {
		asV1beta1(o)
	}
	_, err := client.Do(ctx, cluster.Change{Verb: cluster.Create, After: o}, cluster.Options{Manager: doctor.Manager})
	if isCRD {
		client.Forget()
	}
	return err
}

// bornOld reports whether a CRD has a form that can be created with v1beta1 of the API alone, where the server still serves that.
func bornOld(ctx context.Context, client *cluster.Client, crd *unstructured.Unstructured) (bool, error) {
	pruning, _, _ := unstructured.NestedBool(crd.Object, "spec", "preserveUnknownFields")
	if !pruning {
		return false, nil
	}
	return client.View().Serves(ctx, schema.GroupVersionKind{Group: apiExtensions, Version: "v1beta1", Kind: "CustomResourceDefinition"})
}

// asV1beta1 rewrites a CRD for the older version of the API, which spells one field otherwise.
func asV1beta1(crd *unstructured.Unstructured) {
	crd.SetAPIVersion(apiExtensions + "/v1beta1")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
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
	_ = unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions")
}

// remove deletes an object that a run created, and waits until a CRD is gone for good.
func remove(ctx context.Context, client *cluster.Client, now *unstructured.Unstructured) error {
	_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: now}, cluster.Options{Manager: doctor.Manager})
	if err != nil || now.GetKind() != "CustomResourceDefinition" {
		return err
	}
	defer client.Forget()
	return doctor.Until(ctx, doctor.Patience, func() (bool, error) {
		_, err := client.View().Get(ctx, cluster.RefOf(now))
		return apierrors.IsNotFound(err), nil
	})
}
