package dashboard

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Gateway is the ingress gateway of the mesh that serves the dashboard: its pods, and the Services in front of them.
type Gateway struct {
	Service      *corev1.Service            // the gateway's own, whose ports and selector are right by definition
	Services     []corev1.Service           // every Service in front of its pods, its own among them
	Pods         []corev1.Pod               // in the order of their names
	OtherPods    []corev1.Pod               // of other gateways of the mesh that serve the dashboard as well
	PodsUnread   error                      // why OtherPods could not be read
	Listeners    []Listener                 // what it serves the dashboard on, as the outside sees it; never empty
	IstioGateway *unstructured.Unstructured // Gateway kubeflow/kubeflow-gateway; nil when there is none, or when it cannot be read
	Unread       error                      // why IstioGateway could not be read

	unselecting []corev1.Service // the Services beside it without a selector
}

// LoadBalancerName is the Service with which expose --lb gives the dashboard an address. The guide for AKS gives it the same name.
const LoadBalancerName = "kubeflowdashboard-lb"

// ErrNoGateway is wrapped by the error of a cluster on which nothing serves the dashboard.
var ErrNoGateway = errors.New("no gateway")

// Where Kubeflow's own gateway is, in every release.
const (
	KubeflowNamespace = "istio-system"
	kubeflowService   = "istio-ingressgateway"
)

var (
	kubeflowLabels = labels.Set{"app": "istio-ingressgateway", "istio": "ingressgateway"}
	gatewayRef     = cluster.Ref{APIVersion: "networking.istio.io/v1beta1", Kind: "Gateway", Namespace: "kubeflow", Name: "kubeflow-gateway"}
	ownRef         = cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: KubeflowNamespace, Name: kubeflowService}
)

// FindGateway finds the pods that Gateway kubeflow/kubeflow-gateway selects, by the Service in front of them: Kubeflow's own in
// istio-system, AKS's Istio add-on in aks-istio-ingress, or another one.
func FindGateway(ctx context.Context, view cluster.View) (Gateway, error) {
	var g Gateway
	var err error
	g.IstioGateway, err = cluster.IgnoreNotFound(view.Get(ctx, gatewayRef))
	if apierrors.IsForbidden(err) { // without permission for Istio's objects the Service can still be seen
		g.Unread = err
	} else if err != nil {
		return g, err
	}
	own, err := findService(ctx, view, g.IstioGateway)
	if err != nil {
		return g, err
	}
	if own == nil && g.Unread != nil {
		return g, g.Unread // it may well be another one
	}
	if own == nil {
		return g, &problem.Error{
			What: "there is no Kubeflow gateway on this cluster: neither Service istio-system/istio-ingressgateway nor one that Gateway kubeflow/kubeflow-gateway selects",
			Next: "Install Kubeflow with: kubectl kubeflow install", Err: ErrNoGateway,
		}
	}
	if g.Service, err = cluster.As[corev1.Service](own); err != nil {
		return g, err
	}
	if g.Listeners = listenersOf(g.Service, g.IstioGateway); len(g.Listeners) == 0 {
		return g, &problem.Error{
			What: "Service " + g.Service.Namespace + "/" + g.Service.Name + " has no port for what Gateway kubeflow/kubeflow-gateway serves",
			Next: "See both with: kubectl get service,gateway -A -o wide", Err: ErrNoGateway,
		}
	}
	return g, g.readPods(ctx, view)
}

// Namespace returns the namespace of the gateway's pods.
func (g Gateway) Namespace() string { return g.Service.Namespace }

// Labels returns the labels of the gateway's pods, or what its Service selects while there are none.
func (g Gateway) Labels() labels.Set {
	if len(g.Pods) > 0 {
		return g.Pods[0].Labels
	}
	return g.Service.Spec.Selector
}

// Ref names the gateway's own Service.
func (g Gateway) Ref() cluster.Ref { return refOf(g.Service) }

// IsService reports whether a Service of the gateway is its own: not one of that name in front of another gateway.
func (g Gateway) IsService(s *corev1.Service) bool {
	return s.Name == g.Service.Name && s.Namespace == g.Service.Namespace
}

// findService returns the Service of the pods that the Gateway selects; nil when there is none.
func findService(ctx context.Context, view cluster.View, gateway *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	own, err := cluster.IgnoreNotFound(view.Get(ctx, ownRef))
	if err != nil || own != nil && (gateway == nil || selects(gateway, own) || len(kube.Map(own.Object, "spec", "selector")) == 0) {
		return own, err // without a selector it is not known which pods it leads to, and no other Service says so
	}
	if selector, _, _ := unstructured.NestedStringMap(contentOf(gateway), "spec", "selector"); len(selector) > 0 {
		all, err := view.List(ctx, kube.ServiceKind, cluster.Scope{})
		if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
		all = slices.DeleteFunc(slices.Clone(all), func(o *unstructured.Unstructured) bool { return !selects(gateway, o) })
		if s := firstService(notOfUsers(ctx, view, all), gateway); s != nil {
			return s, nil
		}
	}
	if own != nil {
		return own, nil
	}
	// Its own Service is gone, and another one still leads to its pods.
	all, err := view.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: KubeflowNamespace})
	all = slices.DeleteFunc(slices.Clone(all), func(o *unstructured.Unstructured) bool {
		selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
		return len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(kubeflowLabels)
	})
	return firstService(all, gateway), err
}

// platformGateways are the namespaces of the gateways that Kubeflow and AKS's Istio add-on install.
var platformGateways = []string{KubeflowNamespace, "aks-istio-ingress"}

// notOfUsers leaves out Services that somebody may have written who has one namespace: those in namespaces of Profiles, whatever their names,
// and all others where one is in a namespace that Kubeflow or AKS installs a gateway in.
func notOfUsers(ctx context.Context, view cluster.View, services []*unstructured.Unstructured) []*unstructured.Unstructured {
	users := map[string]bool{KubeflowNamespace: false}
	services = slices.DeleteFunc(services, func(o *unstructured.Unstructured) bool {
		name := o.GetNamespace()
		if _, known := users[name]; !known {
			namespace, err := view.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: name})
			users[name] = err == nil && ofProfile(namespace)
		}
		return users[name]
	})
	if platform := slices.DeleteFunc(slices.Clone(services), func(o *unstructured.Unstructured) bool { return !slices.Contains(platformGateways, o.GetNamespace()) }); len(platform) > 0 {
		return platform
	}
	return services
}

// ofProfile reports whether a namespace shows, in any way, that Kubeflow created it for a Profile.
func ofProfile(namespace *unstructured.Unstructured) bool {
	_, owned := namespace.GetAnnotations()["owner"]
	return owned || namespace.GetLabels()["app.kubernetes.io/part-of"] == "kubeflow-profile" ||
		slices.ContainsFunc(namespace.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return o.Kind == "Profile" })
}

func contentOf(gateway *unstructured.Unstructured) map[string]any {
	if gateway == nil {
		return nil
	}
	return gateway.Object
}

// firstService returns the Service that is most likely the gateway's own: one with the ports that the Gateway serves, and not
// the one that expose adds.
func firstService(all []*unstructured.Unstructured, gateway *unstructured.Unstructured) *unstructured.Unstructured {
	var best *unstructured.Unstructured
	score := -1
	for _, o := range all {
		n := 0
		if s, err := cluster.As[corev1.Service](o); err == nil && len(listenersOf(s, gateway)) > 0 {
			n += 2
		}
		if o.GetName() != LoadBalancerName {
			n++
		}
		if n > score {
			best, score = o, n
		}
	}
	return best
}

// selects reports whether the pods behind a Service are those that a Gateway is for. A Gateway that selects none is for all.
func selects(gateway, service *unstructured.Unstructured) bool {
	wanted, _, _ := unstructured.NestedStringMap(gateway.Object, "spec", "selector")
	chosen, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	return labels.SelectorFromSet(wanted).Matches(labels.Set(chosen))
}

// Encrypts reports whether the gateway has a server for HTTPS.
func (g Gateway) Encrypts() bool {
	return slices.ContainsFunc(Servers(g.IstioGateway), Encrypted)
}
