package gateway

import (
	"context"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Is reports whether a pod is an Istio ingress gateway.
func Is(pod *corev1.Pod) bool {
	return pod.Labels["istio"] == "ingressgateway" || pod.Labels["app"] == "istio-ingressgateway"
}

// Listener returns the handler for a port of a gateway pod, nil if nothing
// listens there. Kubeflow's gateway serves plain HTTP only: on 80 up to Istio
// 1.8, on 8080 after that. The health ports respond like the pilot agent.
func (c Cluster) Listener(pod *corev1.Pod, port int32) http.Handler {
	if !declares(pod, port) {
		return nil
	}
	switch port {
	case 80, 8080:
		return New(c, pod)
	case 443, 8443:
		if c.secured(context.Background()) == nil {
			return nil // Envoy listens only for the servers of a Gateway
		}
		return New(c, pod)
	case 15020, 15021:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz/ready" {
				w.WriteHeader(http.StatusNotFound)
			}
		})
	}
	return nil
}

func declares(pod *corev1.Pod, port int32) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == port })
	})
}

func hasKubeflowGateway(all []unstructured.Unstructured) bool {
	return slices.ContainsFunc(all, func(g unstructured.Unstructured) bool { return g.GetName() == "kubeflow-gateway" })
}
