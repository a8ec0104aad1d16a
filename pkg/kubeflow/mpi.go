package kubeflow

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// mpiOperator is the hidden release that holds the operator of kubeflow.org/v2beta1.
const mpiOperator = "mpi-operator-0.8.0"

// NewerMPIOperator renders the operator of kubeflow.org/v2beta1 that doctor.Settings.MPI puts in the place of the old one.
func NewerMPIOperator(ctx context.Context, o release.RenderOptions, notify Notify) ([]*unstructured.Unstructured, error) {
	rendered, err := Render(ctx, release.Input{Release: mpiOperator}, o, notify)
	if err != nil {
		return nil, err
	}
	return rendered.Objects(), nil
}
