package pods

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// remount is how soon a kubelet tries again to mount.
const remount = 2 * time.Second

// unmounted returns why a kubelet cannot mount a volume of a pod that has not started yet, "" if it can: the socket of Docker on a
// node with another runtime, a Secret or a ConfigMap that does not exist.
func (k *Kubelet) unmounted(ctx context.Context, pod *corev1.Pod, runtime string) string {
	if pod.Status.Phase == corev1.PodRunning {
		return ""
	}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		why := ""
		switch {
		case v.HostPath != nil && v.HostPath.Path == "/var/run/docker.sock" && v.HostPath.Type != nil && *v.HostPath.Type == corev1.HostPathSocket && runtime != "docker":
			why = "hostPath type check failed: /var/run/docker.sock is not a socket file"
		case pod.Labels["notebook-name"] == "" && pod.Labels["workflows.argoproj.io/workflow"] == "":
			continue // others wait for objects that the sandbox's operators never create
		case v.Secret != nil && (v.Secret.Optional == nil || !*v.Secret.Optional):
			if _, err := k.client.CoreV1().Secrets(pod.Namespace).Get(ctx, v.Secret.SecretName, metav1.GetOptions{}); apierrors.IsNotFound(err) {
				why = fmt.Sprintf("secret %q not found", v.Secret.SecretName)
			}
		case v.ConfigMap != nil && (v.ConfigMap.Optional == nil || !*v.ConfigMap.Optional):
			if k.config(pod.Namespace, v.ConfigMap.Name) == nil {
				why = fmt.Sprintf("configmap %q not found", v.ConfigMap.Name)
			}
		}
		if why != "" {
			return fmt.Sprintf("MountVolume.SetUp failed for volume %q : %s", v.Name, why)
		}
	}
	return ""
}
