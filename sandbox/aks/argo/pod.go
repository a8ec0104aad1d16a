package argo

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// pod is the pod of a task, as the executor of this controller wants it.
func (c controller) pod(w *workflow, o *unstructured.Unstructured, name string, of *template) *corev1.Pod {
	yes := true
	labels := map[string]string{"workflows.argoproj.io/workflow": w.Name, "workflows.argoproj.io/completed": "false"}
	if run := w.Labels["pipeline/runid"]; run != "" {
		labels["pipeline/runid"] = run
	}
	for key, value := range of.Metadata.Labels {
		labels[key] = value
	}
	main := of.Container.DeepCopy()
	main.Name = "main"
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: w.Namespace, Labels: labels, Annotations: of.Metadata.Annotations,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Name: w.Name, UID: o.GetUID(), Controller: &yes}},
		},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, ServiceAccountName: w.Spec.ServiceAccount, Containers: []corev1.Container{*main}},
	}
	switch c.executor() {
	case "docker":
		socket := corev1.HostPathSocket
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "docker-sock", VolumeSource: corev1.VolumeSource{
			HostPath: &corev1.HostPathVolumeSource{Path: "/var/run/docker.sock", Type: &socket},
		}})
	case "pns":
		pod.Spec.ShareProcessNamespace = &yes
		wait := corev1.Container{Name: "wait", Image: main.Image, Command: []string{"argoexec", "wait"}, Resources: main.Resources}
		wait.SecurityContext = &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"SYS_PTRACE"}}}
		pod.Spec.Containers = append(pod.Spec.Containers, wait)
	}
	return pod
}

// executor is the one that the ConfigMap names, or the default of the controller's version.
func (c controller) executor() string {
	settings, err := c.program.Config("workflow-controller-configmap")
	if err != nil {
		return "emissary"
	}
	if name := settings["containerRuntimeExecutor"]; name != "" {
		return name
	}
	var inner struct {
		Executor string `json:"containerRuntimeExecutor"`
	}
	if yaml.Unmarshal([]byte(settings["config"]), &inner) == nil && inner.Executor != "" {
		return inner.Executor
	}
	image := c.program.Image()
	for _, old := range []string{":v2.", ":v3.0", ":v3.1", ":v3.2"} {
		if strings.Contains(image, old) {
			return "docker"
		}
	}
	return "emissary"
}
