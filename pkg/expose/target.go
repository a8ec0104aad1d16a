package expose

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
)

// A Target is the dashboard to expose: the dashboard as it is, and what earlier runs created.
type Target struct {
	dashboard.Dashboard
	Inventory Inventory // what expose created and changed on this cluster

	AddressService *unstructured.Unstructured // the Service named LoadBalancerName, whoever created it; nil when there is none
	AllowPolicy    *unstructured.Unstructured // the NetworkPolicy named AllowName, whoever created it; nil when there is none
}

// Read reads the dashboard and the inventory. A cluster without a gateway is a *problem.Error.
func Read(ctx context.Context, view cluster.View) (Target, error) {
	var t Target
	var err error
	ctx, join := cluster.Joined(ctx)
	defer join()
	Ahead(ctx, view)
	if t.Dashboard, err = dashboard.Read(ctx, view); err != nil {
		return t, err
	}
	return t, t.readInventory(ctx, view)
}

// readInventory reads the objects with the names that expose uses, and those with its labels.
func (t *Target) readInventory(ctx context.Context, view cluster.View) (err error) {
	if t.AddressService, err = t.namedInNamespace(ctx, view, kube.ServiceKind, dashboard.LoadBalancerName); err != nil {
		return err
	}
	if t.AllowPolicy, err = t.namedInNamespace(ctx, view, kube.NetworkPolicyKind, dashboard.AllowName); err != nil {
		return err
	}
	t.Inventory, err = ReadInventory(ctx, view)
	if apierrors.IsForbidden(err) { // allowed only in the gateway's namespace
		t.Inventory, err = Inventory{}, nil
		for _, o := range []*unstructured.Unstructured{t.AddressService, t.AllowPolicy} {
			if o != nil && CreatedByExpose(o) {
				t.Inventory.Objects = append(t.Inventory.Objects, o)
			}
		}
		if t.IstioGateway != nil && record.Edited(t.IstioGateway) {
			t.Inventory.Edited = append(t.Inventory.Edited, t.IstioGateway)
		}
	}
	return err
}

// LoadBalancer returns the Service that carries the address as it is, an empty one when there is none.
func (t Target) LoadBalancer() (*corev1.Service, error) {
	if t.AddressService == nil {
		return &corev1.Service{}, nil
	}
	return cluster.As[corev1.Service](t.AddressService)
}

// namedInNamespace returns an object of the gateway's namespace from a list that the View has already; nil when it does not exist.
func (t *Target) namedInNamespace(ctx context.Context, view cluster.View, kind schema.GroupKind, name string) (*unstructured.Unstructured, error) {
	all, err := view.List(ctx, kind, cluster.Scope{Namespace: t.Namespace()})
	if i := slices.IndexFunc(all, func(o *unstructured.Unstructured) bool { return o.GetName() == name }); i >= 0 {
		return all[i], err
	}
	return nil, err
}
