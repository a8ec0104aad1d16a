package network

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"
)

func TestResolve(t *testing.T) {
	objects := []runtime.Object{
		service("kubernetes", "10.0.0.1", "https"), service("ready", "10.0.0.2", "https"),
		service("waiting", "10.0.0.3", "https"), service("headless", corev1.ClusterIPNone, ""),
		slice("ready", "https", true), slice("ready", "metrics", false), slice("waiting", "https", false),
		pod("web", "10.244.0.4", 8080, corev1.PodRunning), pod("done", "10.244.0.5", 80, corev1.PodSucceeded),
		pod("host-a", "10.224.0.4", 9100, corev1.PodRunning), pod("host-b", "10.224.0.4", 9200, corev1.PodRunning),
		&corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "node"},
			Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.224.0.4"}}},
		},
	}
	directory, err := NewDirectory(t.Context(), fake.NewClientset(objects...))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, address, want string }{
		{"a ClusterIP with a ready pod is its service", "10.0.0.2:443", "service default/ready https"},
		{"a ClusterIP without a ready pod is refused", "10.0.0.3:443", `no endpoints available for service "default/waiting"`},
		{"a port that the service does not have is refused", "10.0.0.2:80", "service default/ready has no port 80"},
		{"the kubernetes service is the API server", "10.0.0.1:443", "apiserver"},
		{"a pod's address is the pod", "10.244.0.4:8080", "pod web:8080"},
		{"a port that a pod does not declare may still be open", "10.244.0.4:15021", "pod web:15021"},
		{"the address of a pod that ended is nobody's", "10.244.0.5:80", "no route to 10.244.0.5:80"},
		{"a node's port 10250 is its kubelet", "10.224.0.4:10250", "kubelet node"},
		{"pods on the host network are told apart by their ports", "10.224.0.4:9200", "pod host-b:9200"},
		{"an address outside is nobody's", "192.0.2.7:443", "no route to 192.0.2.7:443"},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, err := directory.Resolve(test.address)
			if got := describe(target, err); !strings.HasPrefix(got, test.want) {
				t.Errorf("%s is %q, want %q", test.address, got, test.want)
			}
		})
	}
	t.Run("tells no endpoints from other reasons", func(t *testing.T) {
		if _, err := directory.Resolve("10.0.0.3:443"); !errors.Is(err, ErrNoEndpoints) {
			t.Errorf("got %v", err)
		}
	})
}

func describe(target Target, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case target.APIServer:
		return "apiserver"
	case target.Kubelet != nil:
		return "kubelet " + target.Kubelet.Name
	case target.Service != nil:
		return "service " + target.Service.String() + " " + target.Port.Name
	default:
		return "pod " + target.Pod.Name + ":" + strconv.Itoa(int(target.PodPort))
	}
}

func service(name, ip, port string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec:       corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Name: port, Port: 443}}},
	}
}

func slice(service, port string, ready bool) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: service + "-" + port, Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		Endpoints:  []discoveryv1.Endpoint{{Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(ready)}}},
		Ports:      []discoveryv1.EndpointPort{{Name: &port}},
	}
}

func pod(name, ip string, port int32, phase corev1.PodPhase) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Ports: []corev1.ContainerPort{{ContainerPort: port}}}}},
		Status:     corev1.PodStatus{Phase: phase, PodIP: ip},
	}
}
