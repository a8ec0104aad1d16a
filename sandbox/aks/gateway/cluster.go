package gateway

import (
	"context"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// Istio's kinds that the gateway reads, in versions that every release serves.
var (
	virtualServices        = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1alpha3", Resource: "virtualservices"}
	destinationRules       = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1alpha3", Resource: "destinationrules"}
	gateways               = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1alpha3", Resource: "gateways"}
	envoyFilters           = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1alpha3", Resource: "envoyfilters"}
	requestAuthentications = schema.GroupVersionResource{Group: "security.istio.io", Version: "v1beta1", Resource: "requestauthentications"}
	authorizationPolicies  = schema.GroupVersionResource{Group: "security.istio.io", Version: "v1beta1", Resource: "authorizationpolicies"}
)

// A Cluster is the gateway's access to the cluster.
type Cluster struct {
	Istio    dynamic.Interface
	Pods     corelisters.PodLister
	Services corelisters.ServiceLister
	Configs  corelisters.ConfigMapLister // Istio's mesh configuration; may be nil
	Keys     *Keys                       // of the issuers of tokens; nil: only those in RequestAuthentications

	Sessions *Sessions                                                   // nil: nobody can sign in
	Password func(user, password string) bool                            // dex's password database
	Program  func(pod *corev1.Pod, service *corev1.Service) http.Handler // a program that runs in a pod, nil if none does; may be nil
	Real     func(pod *corev1.Pod) bool                                  // whether the program of sign-in in a pod is a real one; may be nil
}

// list returns nothing if the kind does not exist, like an Istio without that
// CRD.
func (c Cluster) list(ctx context.Context, kind schema.GroupVersionResource, namespace string) []unstructured.Unstructured {
	list, err := c.Istio.Resource(kind).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	return list.Items
}

// ready returns the ready pods behind a Service, nil if the Service does not exist.
func (c Cluster) ready(namespace, name string) []*corev1.Pod {
	service, err := c.Services.Services(namespace).Get(name)
	if err != nil || len(service.Spec.Selector) == 0 {
		return nil
	}
	return c.ReadyPods(namespace, service.Spec.Selector)
}

// ReadyPods returns the ready pods with these labels.
func (c Cluster) ReadyPods(namespace string, selector map[string]string) []*corev1.Pod {
	all, err := c.Pods.Pods(namespace).List(labels.SelectorFromSet(selector))
	if err != nil {
		return nil
	}
	var ready []*corev1.Pod
	for _, pod := range all {
		if pod.DeletionTimestamp == nil && isReady(pod) {
			ready = append(ready, pod)
		}
	}
	return ready
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
