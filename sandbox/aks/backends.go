package aks

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/answer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/gateway"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/webhook"
)

// Dial connects to the simulated backend of a Service: the gateway if the
// Service selects it, otherwise a webhook.
func (a *AKS) Dial(_ context.Context, service types.NamespacedName, port corev1.ServicePort) (net.Conn, error) {
	for _, pod := range a.podsBehind(service) {
		if gateway.Is(pod) {
			return a.dialGateway(pod, target(port, pod))
		}
	}
	// The API server keeps the connection, so each request looks for the pod that is ready now.
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := webhook.Handler{Service: service, KubernetesMinor: a.kubernetesMinor(), PodDefaults: a.podDefaults}
		for _, pod := range a.podsBehind(service) {
			h.Image, h.NativeSidecars = pod.Spec.Containers[0].Image, environment(pod, "ENABLE_NATIVE_SIDECARS") == "true"
		}
		h.ServeHTTP(w, r)
	})
	return a.board.Connect(handler, a.board.As(service.Name+"."+service.Namespace+".svc", service.Name+"."+service.Namespace+".svc.cluster.local"))
}

// podDefaults returns the PodDefaults of a namespace, none where the kind does not exist.
func (a *AKS) podDefaults(namespace string) []unstructured.Unstructured {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	list, err := a.dynamic.Resource(schema.GroupVersionResource{Group: "kubeflow.org", Version: "v1alpha1", Resource: "poddefaults"}).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	return list.Items
}

// podsBehind returns the ready pods of a Service, the newest last.
func (a *AKS) podsBehind(service types.NamespacedName) []*corev1.Pod {
	found, err := a.mesh.Services.Services(service.Namespace).Get(service.Name)
	if err != nil || len(found.Spec.Selector) == 0 {
		return nil
	}
	pods := a.mesh.ReadyPods(service.Namespace, found.Spec.Selector)
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return pods
}

// environment returns a variable of a pod's first container.
func environment(pod *corev1.Pod, name string) string {
	for _, variable := range pod.Spec.Containers[0].Env {
		if variable.Name == name {
			return variable.Value
		}
	}
	return ""
}

// kubernetesMinor returns the cluster's minor version, 0 while it is not known.
func (a *AKS) kubernetesMinor() int {
	if known := a.minor.Load(); known != 0 {
		return int(known)
	}
	version, err := a.client.Discovery().ServerVersion()
	if err != nil {
		return 0
	}
	minor, _ := strconv.Atoi(strings.TrimRight(version.Minor, "+"))
	a.minor.Store(int64(minor))
	return minor
}

// DialPod connects to the simulated program in a pod.
func (a *AKS) DialPod(_ context.Context, pod *corev1.Pod, port int32) (net.Conn, error) {
	if gateway.Is(pod) {
		return a.dialGateway(pod, port)
	}
	handler := a.behindPod(pod, port)
	if handler == nil {
		return nil, refused(pod, port)
	}
	return a.board.Connect(handler, a.board.As(pod.Name))
}

func (a *AKS) dialGateway(pod *corev1.Pod, port int32) (net.Conn, error) {
	handler := a.mesh.Listener(pod, port)
	if handler == nil {
		return nil, refused(pod, port)
	}
	return a.board.Connect(handler, a.certify(pod, port))
}

// certify returns the certificates for a port of a pod.
func (a *AKS) certify(pod *corev1.Pod, port int32) answer.Certify {
	if gateway.Is(pod) {
		return func() (*tls.Certificate, error) { return a.mesh.Certificate(pod, port) }
	}
	return a.board.As(pod.Name)
}

func refused(pod *corev1.Pod, port int32) error {
	return fmt.Errorf("dial tcp %s:%d: connect: connection refused", pod.Status.PodIP, port)
}

// behindPod returns what listens on a port of a pod, or nil. Pods without
// declared ports listen on every port.
func (a *AKS) behindPod(pod *corev1.Pod, port int32) http.Handler {
	if gateway.Is(pod) {
		return a.mesh.Listener(pod, port)
	}
	if handler, simulated := a.program(pod, port); simulated {
		return handler
	}
	declared := 0
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		if c.Name == "istio-proxy" {
			continue
		}
		declared += len(c.Ports)
		if slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == port }) {
			declared = 0
			break
		}
	}
	if declared > 0 {
		return nil
	}
	return webhook.Handler{Service: types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels["app"]}, Image: pod.Spec.Containers[0].Image}
}

func target(port corev1.ServicePort, pod *corev1.Pod) int32 {
	if port.TargetPort.Type == intstr.Int {
		if port.TargetPort.IntVal != 0 {
			return port.TargetPort.IntVal
		}
		return port.Port
	}
	for i := range pod.Spec.Containers {
		for _, p := range pod.Spec.Containers[i].Ports {
			if p.Name == port.TargetPort.StrVal {
				return p.ContainerPort
			}
		}
	}
	return 0
}
