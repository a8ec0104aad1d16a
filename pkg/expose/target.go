package expose

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Target is what there is to expose: the gateway of one Kubeflow, and all that decides who can reach it.
type Target struct {
	Service   *corev1.Service // the gateway's own, whose ports and selector are right by definition
	Listeners []Listener      // what the gateway serves the dashboard on, as the outside sees it; never empty
	Pods      []corev1.Pod    // the gateway's pods, in the order of their names
	SignIn    SignIn
	Services  []corev1.Service             // every Service in front of the gateway's pods, its own among them
	Ingresses []networkingv1.Ingress       // those in front of one of the Services
	Routes    []Route                      // the Gateway API's, likewise
	Policies  []networkingv1.NetworkPolicy // those of the gateway's namespace
	Engine    string                       // what enforces NetworkPolicies here: "Calico"; "" when nothing known does
	Made      Made                         // what expose made and changed on this cluster

	gateway *unstructured.Unstructured // Gateway kubeflow/kubeflow-gateway; nil when there is none, or none to be read
	region  string                     // Azure's, as the nodes have it; "" when none says so
	tls     tlsParts                   // filled by LookTLS
	address *unstructured.Unstructured // the Service named LoadBalancerName, whoever made it; nil when there is none
	allow   *unstructured.Unstructured // the NetworkPolicy named AllowName, whoever made it; nil when there is none
}

var (
	services  = schema.GroupKind{Kind: "Service"}
	pods      = schema.GroupKind{Kind: "Pod"}
	policies  = schema.GroupKind{Group: "networking.k8s.io", Kind: "NetworkPolicy"}
	ingresses = schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}
)

// Namespace returns the gateway's namespace.
func (t Target) Namespace() string { return t.Service.Namespace }

// labels returns the labels of the gateway's pods, or what its Service selects while there are none.
func (t Target) labels() labels.Set {
	if len(t.Pods) > 0 {
		return t.Pods[0].Labels
	}
	return t.Service.Spec.Selector
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
	if err = t.lookGateway(ctx, view); err != nil {
		return t, err
	}
	namespace := cluster.Scope{Namespace: t.Namespace()}
	selected := namespace
	selected.Labels = labels.FormatLabels(t.Service.Spec.Selector)
	if t.Pods, err = listed[corev1.Pod](ctx, view, pods, selected); err != nil {
		return t, err
	}
	all, err := listed[corev1.Service](ctx, view, services, namespace)
	if err != nil {
		return t, err
	}
	for _, s := range all {
		if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(t.labels()) {
			t.Services = append(t.Services, s)
		}
	}
	if t.Policies, err = listed[networkingv1.NetworkPolicy](ctx, view, policies, namespace); err != nil {
		return t, err
	}
	if t.Ingresses, err = lookIngresses(ctx, view, t); err != nil {
		return t, err
	}
	if t.Routes, err = lookRoutes(ctx, view, t); err != nil {
		return t, err
	}
	t.SignIn = lookSignIn(ctx, view, t.Namespace(), t.labels())
	t.Engine, _ = cluster.PolicyEngine(ctx, view) // without one known, or permission to look, policies count as not enforced
	t.region = lookRegion(ctx, view)
	return t, t.lookMade(ctx, view)
}

// lookMade reads what is there under the names that expose writes, and what carries its labels.
func (t *Target) lookMade(ctx context.Context, view cluster.View) (err error) {
	if t.address, err = found(view.Get(ctx, serviceRef(t.Namespace()))); err != nil {
		return err
	}
	if t.allow, err = found(view.Get(ctx, allowRef(t.Namespace()))); err != nil {
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
		if t.gateway != nil && t.gateway.GetLabels()[editedLabel] != "" {
			t.Made.Edited = append(t.Made.Edited, t.gateway)
		}
	}
	return err
}

// lookIngresses returns the Ingresses that send visitors to one of the gateway's Services.
func lookIngresses(ctx context.Context, view cluster.View, t Target) ([]networkingv1.Ingress, error) {
	all, err := listed[networkingv1.Ingress](ctx, view, ingresses, cluster.Scope{Namespace: t.Namespace()})
	if apierrors.IsForbidden(err) || meta.IsNoMatchError(err) {
		return nil, nil // one way less to tell of; nothing is decided by it
	}
	var chosen []networkingv1.Ingress
	for _, ingress := range all {
		for _, s := range t.Services {
			if sendsTo(ingress, s.Name) {
				chosen = append(chosen, ingress)
				break
			}
		}
	}
	return chosen, err
}

func sendsTo(ingress networkingv1.Ingress, service string) bool {
	is := func(b *networkingv1.IngressBackend) bool {
		return b != nil && b.Service != nil && b.Service.Name == service
	}
	if is(ingress.Spec.DefaultBackend) {
		return true
	}
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			if is(&path.Backend) {
				return true
			}
		}
	}
	return false
}

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
func optional(list []*unstructured.Unstructured, err error) ([]*unstructured.Unstructured, error) {
	var unknowable *cluster.ErrUnknowable
	if meta.IsNoMatchError(err) || errors.As(err, &unknowable) {
		return nil, nil
	}
	return list, err
}
