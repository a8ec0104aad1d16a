package expose

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// A Target is what there is to expose: the dashboard as it is, and what an earlier run made of it.
type Target struct {
	dashboard.Dashboard
	Made Made // what expose made and changed on this cluster

	tls     tlsParts                   // filled by WithTLS
	address *unstructured.Unstructured // the Service named LoadBalancerName, whoever made it; nil when there is none
	allow   *unstructured.Unstructured // the NetworkPolicy named AllowName, whoever made it; nil when there is none
}

// Unready says why the gateway itself cannot answer, "" when one of its pods is ready.
func (t Target) Unready() string {
	all := make([]*corev1.Pod, 0, len(t.Pods))
	for i := range t.Pods {
		if podReady(&t.Pods[i]) {
			return ""
		}
		all = append(all, &t.Pods[i])
	}
	return whyNotReady(all)
}

// Look reads what there is to expose. A cluster without a gateway is a *cluster.Problem.
func Look(ctx context.Context, view cluster.View) (Target, error) {
	var t Target
	var err error
	if t.Dashboard, err = dashboard.Read(ctx, view); err != nil {
		return t, err
	}
	return t, t.lookMade(ctx, view)
}

// lookMade reads what is there under the names that expose writes, and what carries its labels.
func (t *Target) lookMade(ctx context.Context, view cluster.View) (err error) {
	if t.address, err = t.namedInNamespace(ctx, view, kube.ServiceKind, dashboard.LoadBalancerName); err != nil {
		return err
	}
	if t.allow, err = t.namedInNamespace(ctx, view, kube.NetworkPolicyKind, dashboard.AllowName); err != nil {
		return err
	}
	t.Made, err = LookMade(ctx, view)
	if apierrors.IsForbidden(err) { // allowed in the gateway's namespace alone
		t.Made, err = Made{}, nil
		for _, o := range []*unstructured.Unstructured{t.address, t.allow} {
			if o != nil && madeByExpose(o) {
				t.Made.Objects = append(t.Made.Objects, o)
			}
		}
		if t.IstioGateway != nil && t.IstioGateway.GetLabels()[editedLabel] != "" {
			t.Made.Edited = append(t.Made.Edited, t.IstioGateway)
		}
	}
	return err
}

// namedInNamespace returns an object of the gateway's namespace from a list that the View has already; nil when it is not there.
func (t *Target) namedInNamespace(ctx context.Context, view cluster.View, kind schema.GroupKind, name string) (*unstructured.Unstructured, error) {
	all, err := view.List(ctx, kind, cluster.Scope{Namespace: t.Namespace()})
	if i := slices.IndexFunc(all, func(o *unstructured.Unstructured) bool { return o.GetName() == name }); i >= 0 {
		return all[i], err
	}
	return nil, err
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
func optional(list []*unstructured.Unstructured, err error) ([]*unstructured.Unstructured, error) {
	var unknowable *cluster.ErrUnknowable
	if meta.IsNoMatchError(err) || errors.As(err, &unknowable) {
		return nil, nil
	}
	return list, err
}
