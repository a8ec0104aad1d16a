package notebooks

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

var (
	statefulSets    = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
	services        = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	virtualServices = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1alpha3", Resource: "virtualservices"}
)

const (
	stopAnnotation    = "kubeflow-resource-stopped"
	rewriteAnnotation = "notebooks.kubeflow.org/http-rewrite-uri"

	serverPort = 8888
	fsGroup    = int64(100)
)

func prefix(notebook *unstructured.Unstructured) string {
	return "/notebook/" + notebook.GetNamespace() + "/" + notebook.GetName()
}

func statefulSet(notebook *unstructured.Unstructured, pod corev1.PodSpec) (*unstructured.Unstructured, error) {
	replicas := int32(1)
	if _, stopped := notebook.GetAnnotations()[stopAnnotation]; stopped {
		replicas = 0
	}
	labels := map[string]string{"statefulset": notebook.GetName(), "notebook-name": notebook.GetName()}
	for key, value := range notebook.GetLabels() {
		labels[key] = value
	}
	server := &pod.Containers[0]
	if server.WorkingDir == "" {
		server.WorkingDir = "/home/jovyan"
	}
	if server.Ports == nil {
		server.Ports = []corev1.ContainerPort{{ContainerPort: serverPort, Name: "notebook-port", Protocol: corev1.ProtocolTCP}}
	}
	server.Env = append(server.Env, corev1.EnvVar{Name: "NB_PREFIX", Value: prefix(notebook)})
	if pod.SecurityContext == nil {
		group := fsGroup
		pod.SecurityContext = &corev1.PodSecurityContext{FSGroup: &group}
	}
	return control.Unstructured(&appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: notebook.GetName(), Namespace: notebook.GetNamespace()},
		Spec: appsv1.StatefulSetSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"statefulset": notebook.GetName()}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	}, "apps/v1", "StatefulSet")
}

func service(notebook *unstructured.Unstructured, pod corev1.PodSpec) (*unstructured.Unstructured, error) {
	port := int32(serverPort)
	if ports := pod.Containers[0].Ports; len(ports) > 0 {
		port = ports[0].ContainerPort
	}
	return control.Unstructured(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: notebook.GetName(), Namespace: notebook.GetNamespace()},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, Selector: map[string]string{"statefulset": notebook.GetName()},
			Ports: []corev1.ServicePort{{Name: "http-" + notebook.GetName(), Port: 80, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP}},
		},
	}, "v1", "Service")
}

// virtualService returns the route of the gateway, nil if the controller runs without Istio.
func (c controller) virtualService(notebook *unstructured.Unstructured) *unstructured.Unstructured {
	if c.program.EnvOr("USE_ISTIO", "false") != "true" {
		return nil
	}
	path := prefix(notebook) + "/"
	rewrite := path
	if uri := notebook.GetAnnotations()[rewriteAnnotation]; uri != "" {
		rewrite = uri
	}
	host := notebook.GetName() + "." + notebook.GetNamespace() + ".svc." + c.program.EnvOr("CLUSTER_DOMAIN", "cluster.local")
	vs := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.istio.io/v1alpha3", "kind": "VirtualService",
		"spec": map[string]any{
			"hosts":    []any{c.program.EnvOr("ISTIO_HOST", "*")},
			"gateways": []any{c.program.EnvOr("ISTIO_GATEWAY", "kubeflow/kubeflow-gateway")},
			"http": []any{map[string]any{
				"match":   []any{map[string]any{"uri": map[string]any{"prefix": path}}},
				"rewrite": map[string]any{"uri": rewrite},
				"route":   []any{map[string]any{"destination": map[string]any{"host": host, "port": map[string]any{"number": int64(80)}}}},
			}},
		},
	}}
	vs.SetName("notebook-" + notebook.GetNamespace() + "-" + notebook.GetName())
	vs.SetNamespace(notebook.GetNamespace())
	return vs
}
