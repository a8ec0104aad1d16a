package checks

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// hasRoute tells whether an HTTPRoute of the Gateway API leads to the dashboard's gateway from a Gateway that has an address.
// Clusters without that API have none.
func hasRoute(ctx context.Context, e doctor.Exam, services []*unstructured.Unstructured) (bool, error) {
	routes, err := e.List(ctx, routeKind, cluster.Scope{Namespace: gatewayNamespace})
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	backend := map[string]bool{}
	for _, s := range services {
		backend[s.GetName()] = true
	}
	for _, r := range routes {
		if !backsOnto(r, backend) {
			continue
		}
		for _, parent := range kube.Items(r.Object, "spec", "parentRefs") {
			if found, err := addressed(ctx, e, parent); found || err != nil {
				return found, err
			}
		}
	}
	return false, nil
}

func backsOnto(route *unstructured.Unstructured, services map[string]bool) bool {
	for _, rule := range kube.Items(route.Object, "spec", "rules") {
		for _, ref := range kube.Items(rule, "backendRefs") {
			if services[kube.Text(ref, "name")] {
				return true
			}
		}
	}
	return false
}

// addressed tells whether the Gateway that a route names has an address.
func addressed(ctx context.Context, e doctor.Exam, parent map[string]any) (bool, error) {
	namespace := kube.Text(parent, "namespace")
	if namespace == "" {
		namespace = gatewayNamespace
	}
	g, err := e.Get(ctx, cluster.Ref{APIVersion: gatewayKind.Group + "/v1", Kind: gatewayKind.Kind, Namespace: namespace, Name: kube.Text(parent, "name")})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return len(kube.Items(g.Object, "status", "addresses")) > 0, nil
}
