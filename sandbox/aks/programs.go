package aks

import (
	"context"
	"net/http"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/jobs"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/notebooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/pipelines"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/webapps"
)

// program returns the program that listens on a port of a pod, nil if none does; simulated is whether the pod is one of those
// whose program the sandbox has.
func (a *AKS) program(pod *corev1.Pod, port int32) (handler http.Handler, simulated bool) {
	if notebooks.Is(pod) {
		if handler := a.servers.Handler(pod); handler != nil && port == notebooks.Port(pod) {
			return handler, true
		}
		return nil, true
	}
	if a.signIn.Is(pod) {
		return a.signInProgram(pod, port), true
	}
	if jobs.Serves(pod) {
		return http.HandlerFunc(jobs.Model), true
	}
	if pod.Namespace != "kubeflow" {
		return nil, false
	}
	switch name := pod.Labels["app"]; {
	case name == "ml-pipeline" && port == 8888:
		return a.pipelines, true
	case name == "ml-pipeline-ui" && port == 3000:
		return pipelines.UI(func() (http.Handler, int, string) { return a.behindUI(pod) }), true
	case (name == "minio" || name == "seaweedfs") && (port == 9000 || port == 8333):
		return a.objectStore(pod), true
	case name == "jupyter-web-app" || name == "volumes-web-app" || name == "tensorboards-web-app":
		return webapps.Limited(environment(pod, "GUNICORN_CMD_ARGS"), webapps.Handler(a.client, name)), true
	}
	return nil, false
}

// behindGateway returns the program that the gateway reaches in a pod of a Service, nil if the sandbox has none.
func (a *AKS) behindGateway(pod *corev1.Pod, service *corev1.Service) http.Handler {
	for _, port := range service.Spec.Ports {
		if port.TargetPort.Type == intstr.Int || port.TargetPort.StrVal != "" {
			if handler, simulated := a.program(pod, target(port, pod)); handler != nil {
				return handler
			} else if simulated {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					http.Error(w, "upstream connect error or disconnect/reset before headers. reset reason: connection failure, transport failure reason: delayed connect error: 111", http.StatusServiceUnavailable)
				})
			}
		}
	}
	return nil
}

// password checks a user of dex's password database: staticPasswords of its ConfigMap, whose hash may come from a Secret.
func (a *AKS) password(user, password string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	config, err := a.client.CoreV1().ConfigMaps("auth").Get(ctx, "dex", metav1.GetOptions{})
	if err != nil {
		return false
	}
	var settings struct {
		StaticPasswords []struct{ Email, Hash, HashFromEnv string }
	}
	if yaml.Unmarshal([]byte(config.Data["config.yaml"]), &settings) != nil {
		return false
	}
	for _, known := range settings.StaticPasswords {
		if known.Email != user {
			continue
		}
		hash := []byte(known.Hash)
		if known.HashFromEnv != "" {
			secret, err := a.client.CoreV1().Secrets("auth").Get(ctx, "dex-passwords", metav1.GetOptions{})
			if err != nil {
				return false
			}
			hash = secret.Data[known.HashFromEnv]
		}
		return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil
	}
	return false
}
