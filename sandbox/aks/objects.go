package aks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/gateway"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/pipelines"
)

// stores are the Services of the object store, of one release or another.
var stores = []string{"seaweedfs", "minio-service"}

// objectStore is the object store in its pod.
func (a *AKS) objectStore(pod *corev1.Pod) http.Handler {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	keys, err := a.keys(ctx, pod.Namespace)
	if err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		})
	}
	return a.objects.Handler(pod.UID, keys)
}

// keys are those of the object store that a namespace has.
func (a *AKS) keys(ctx context.Context, namespace string) (pipelines.Keys, error) {
	const name = "mlpipeline-minio-artifact"
	secret, err := a.client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return pipelines.Keys{}, err
	}
	return pipelines.Keys{Access: string(secret.Data["accesskey"]), Secret: string(secret.Data["secretkey"])}, nil
}

// objectsOf connects to the object store with the keys of a namespace.
func (a *AKS) objectsOf(ctx context.Context, namespace string) (*pipelines.Objects, error) {
	keys, err := a.keys(ctx, namespace)
	if err != nil {
		return nil, err
	}
	for _, name := range stores {
		service, err := a.mesh.Services.Services("kubeflow").Get(name)
		if err != nil {
			continue
		}
		host := name + ".kubeflow:9000"
		return pipelines.NewObjects(host, keys, func(context.Context) (net.Conn, error) {
			for _, pod := range a.mesh.ReadyPods("kubeflow", service.Spec.Selector) {
				return a.board.Connect(a.objectStore(pod), nil)
			}
			return nil, fmt.Errorf("dial tcp: %s: connect: connection refused", host)
		})
	}
	return nil, errors.New("dial tcp: lookup minio-service.kubeflow: no such host")
}

// behindUI is the API server as the web server's pod reaches it: an API server that admits only members of the mesh refuses a pod
// without a sidecar.
func (a *AKS) behindUI(ui *corev1.Pod) (handler http.Handler, status int, why string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	service, err := a.mesh.Services.Services("kubeflow").Get("ml-pipeline")
	if err != nil {
		return nil, http.StatusGatewayTimeout, "Error occurred while trying to proxy: ml-pipeline:8888"
	}
	pods := a.mesh.ReadyPods("kubeflow", service.Spec.Selector)
	if len(pods) == 0 {
		return nil, http.StatusServiceUnavailable, "no healthy upstream"
	}
	if gateway.Meshed(pods[0]) && !gateway.Meshed(ui) && a.mesh.WantsPrincipal(ctx, pods[0]) {
		return nil, http.StatusForbidden, "RBAC: access denied"
	}
	return a.pipelines, http.StatusOK, ""
}
