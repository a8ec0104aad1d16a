package exposure

import (
	"context"
	"errors"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// An exposingService is a Service in front of the gateway, as its type and as the object that a fix would change.
type exposingService struct {
	*corev1.Service
	object *unstructured.Unstructured
}

// findGateway returns the gateway that serves the dashboard. Without one, a check of it does not apply.
func findGateway(ctx context.Context, e doctor.Exam) (dashboard.Gateway, error) {
	g, err := dashboard.FindGateway(ctx, e)
	var failure *problem.Error
	switch {
	case errors.Is(err, dashboard.ErrNoGateway) && errors.As(err, &failure):
		what, _, _ := strings.Cut(failure.What, ":")
		return g, doctor.Skip("%s", what)
	case err != nil:
		return g, err
	}
	return g, g.Unread // another gateway may be the one that serves it
}

// gatewayServices returns the gateway, and the Services in front of it.
func gatewayServices(ctx context.Context, e doctor.Exam) (dashboard.Gateway, []exposingService, error) {
	g, err := findGateway(ctx, e)
	if err != nil {
		return g, nil, err
	}
	var services []exposingService
	for i := range g.Services {
		objects, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: g.Services[i].Namespace})
		if err != nil {
			return g, nil, err
		}
		for _, o := range objects {
			if o.GetName() == g.Services[i].Name {
				services = append(services, exposingService{&g.Services[i], o})
			}
		}
	}
	return g, services, nil
}

// LoadBalancers returns the gateway, and the Services of type LoadBalancer in front of it. Without one, a check of them does not apply.
func LoadBalancers(ctx context.Context, e doctor.Exam) (dashboard.Gateway, []exposingService, error) {
	g, services, err := gatewayServices(ctx, e)
	if err != nil {
		return g, nil, err
	}
	services = slices.DeleteFunc(services, func(s exposingService) bool { return s.Spec.Type != corev1.ServiceTypeLoadBalancer })
	if len(services) == 0 {
		return g, nil, doctor.Skip("no load balancer serves the dashboard")
	}
	return g, services, nil
}

// Outside returns the gateway, and the ways in which clients outside the cluster reach the dashboard. Without one, a check of them does
// not apply.
func Outside(ctx context.Context, e doctor.Exam) (dashboard.Gateway, []dashboard.Endpoint, error) {
	g, err := findGateway(ctx, e)
	if err != nil {
		return g, nil, err
	}
	endpoints, err := g.ReadEndpoints(ctx, e)
	if err != nil {
		return g, nil, err
	}
	endpoints = slices.DeleteFunc(endpoints, func(p dashboard.Endpoint) bool { return !p.Outside() })
	if len(endpoints) == 0 {
		return g, nil, doctor.Skip("the dashboard has no address outside the cluster")
	}
	return g, endpoints, nil
}

// AtGateway returns Istio's objects of a kind that apply to the gateway's pods, or would apply to those of Kubeflow's own
// gateway where there is none yet.
func AtGateway(ctx context.Context, e doctor.Exam, kind schema.GroupKind) ([]*unstructured.Unstructured, error) {
	g, err := findGateway(ctx, e)
	var skipped *doctor.Skipped
	switch {
	case errors.As(err, &skipped):
		return dashboard.InFrontOfKubeflow(ctx, e, kind)
	case err != nil:
		return nil, err
	}
	return g.InFront(ctx, e, kind)
}

// sentence returns a phrase with a capital and a full stop.
func sentence(phrase string) string {
	if phrase == "" {
		return ""
	}
	return strings.ToUpper(phrase[:1]) + phrase[1:] + "."
}

// GatewayPods returns the namespace and the labels of the gateway's pods, or those of Kubeflow's own gateway where there is none yet.
func GatewayPods(ctx context.Context, e doctor.Exam) (namespace string, pods labels.Set, err error) {
	g, err := findGateway(ctx, e)
	var skipped *doctor.Skipped
	switch {
	case errors.As(err, &skipped):
		return dashboard.KubeflowNamespace, dashboard.KubeflowLabels(), nil
	case err != nil:
		return "", nil, err
	}
	return g.Namespace(), g.Labels(), nil
}
