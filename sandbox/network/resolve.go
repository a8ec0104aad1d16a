package network

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// A Target is the object at an address of the cluster network. One of its fields
// is set.
type Target struct {
	APIServer bool         // the kubernetes Service
	Kubelet   *corev1.Node // the kubelet of a node

	Service *types.NamespacedName // with its Port
	Port    corev1.ServicePort

	Pod     *corev1.Pod // with its PodPort
	PodPort int32
}

// ErrNoEndpoints means that a Service has no ready pod.
var ErrNoEndpoints = errors.New("no endpoints available")

const kubeletPort = 10250

// Resolve returns what listens at "host:port", or why nothing does.
func (d *Directory) Resolve(address string) (Target, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return Target{}, err
	}
	number, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return Target{}, fmt.Errorf("%s has no port number: %w", address, err)
	}
	port := int32(number)
	for _, service := range at[*corev1.Service](d.services, byAddress, host) {
		return d.service(service, port)
	}
	for _, node := range at[*corev1.Node](d.nodes, byAddress, host) {
		if port == kubeletPort {
			return Target{Kubelet: node}, nil
		}
	}
	return podTarget(at[*corev1.Pod](d.pods, byAddress, host), host, port)
}

// service resolves the port and checks that it has a ready endpoint.
func (d *Directory) service(service *corev1.Service, port int32) (Target, error) {
	name := types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
	if name.Namespace == metav1.NamespaceDefault && name.Name == "kubernetes" {
		return Target{APIServer: true}, nil
	}
	index := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == port })
	if index < 0 {
		return Target{}, fmt.Errorf("service %s has no port %d", name, port)
	}
	found := service.Spec.Ports[index]
	if !d.ready(name, found) {
		return Target{}, fmt.Errorf("%w for service %q", ErrNoEndpoints, name)
	}
	return Target{Service: &name, Port: found}, nil
}

// ready reports whether a port of a Service has a ready endpoint.
func (d *Directory) ready(name types.NamespacedName, port corev1.ServicePort) bool {
	for _, slice := range at[*discoveryv1.EndpointSlice](d.slices, byService, name.String()) {
		named := slices.ContainsFunc(slice.Ports, func(p discoveryv1.EndpointPort) bool {
			return ptr.Deref(p.Name, "") == port.Name
		})
		if named && slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool {
			return ptr.Deref(e.Conditions.Ready, true)
		}) {
			return true
		}
	}
	return false
}

// podTarget selects among the pods with one address: pods on the host network
// share it, and only a declared port distinguishes them.
func podTarget(pods []*corev1.Pod, host string, port int32) (Target, error) {
	declared := slices.IndexFunc(pods, func(pod *corev1.Pod) bool { return declares(pod, port) })
	switch {
	case declared >= 0:
		return Target{Pod: pods[declared], PodPort: port}, nil
	case len(pods) == 1:
		return Target{Pod: pods[0], PodPort: port}, nil
	default:
		return Target{}, fmt.Errorf("no route to %s: it is not a service, running pod or node of this cluster", net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
}

func declares(pod *corev1.Pod, port int32) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == port })
	})
}
