package dashboard

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// listed returns the objects of a kind as their Go type.
func listed[T any](ctx context.Context, view cluster.View, kind schema.GroupKind, in cluster.Scope) ([]T, error) {
	objects, err := view.List(ctx, kind, in)
	if err != nil {
		return nil, fmt.Errorf("listing %ss: %w", kind.Kind, err)
	}
	all := make([]T, 0, len(objects))
	for _, o := range objects {
		typed, err := as[T](o)
		if err != nil {
			return nil, err
		}
		all = append(all, *typed)
	}
	return all, nil
}

// as returns an object as its Go type.
func as[T any](o *unstructured.Unstructured) (*T, error) {
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, typed); err != nil {
		return nil, fmt.Errorf("reading %s: %w", cluster.RefOf(o), err)
	}
	return typed, nil
}

// found makes "not there" a nil object instead of an error.
func found(o *unstructured.Unstructured, err error) (*unstructured.Unstructured, error) {
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	return o, err
}

// optional makes "no such kind" an empty list instead of an error.
func optional[T any](list []T, err error) ([]T, error) {
	var unknowable *cluster.ErrUnknowable
	if meta.IsNoMatchError(err) || errors.As(err, &unknowable) {
		return nil, nil
	}
	return list, err
}
