package main

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// mpiOperator is the hidden release that holds the operator of kubeflow.org/v2beta1.
const mpiOperator = "mpi-operator-0.8.0"

// newerMPIOperator renders the operator of kubeflow.org/v2beta1 that --mpi=v2beta1 puts in the place of the old one.
func (o *doctorOptions) newerMPIOperator(ctx context.Context) ([]*unstructured.Unstructured, error) {
	rendered, err := o.render(ctx, release.Input{Release: mpiOperator}, release.RenderOptions{Mirror: o.mirror, SkipVerify: o.skipVerify})
	if err != nil {
		return nil, err
	}
	return rendered.Objects(), nil
}
