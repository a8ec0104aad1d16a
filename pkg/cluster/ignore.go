package cluster

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// IgnoreNotFound returns a nil object instead of an error for an object that does not exist, or whose kind does not.
func IgnoreNotFound(o *unstructured.Unstructured, err error) (*unstructured.Unstructured, error) {
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	return o, err
}

// IgnoreNoMatch returns an empty list instead of an error for a kind that the cluster does not have, or that an offline view does
// not know.
func IgnoreNoMatch[T any](list []T, err error) ([]T, error) {
	if meta.IsNoMatchError(err) || errors.As(err, new(*ErrUnknowable)) {
		return nil, nil
	}
	return list, err
}

// As converts an object to its Go type.
func As[T any](o *unstructured.Unstructured) (*T, error) {
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, typed); err != nil {
		return nil, fmt.Errorf("reading %s: %w", RefOf(o), err)
	}
	return typed, nil
}
