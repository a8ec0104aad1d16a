package pods

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const executorKey = "containerRuntimeExecutor"

// workflowController: from v3.4 on, Argo parses its ConfigMap strictly and no
// longer has the field containerRuntimeExecutor. It exits with code 1, at start
// and when the ConfigMap changes.
func workflowController(pod *corev1.Pod, container *corev1.Container, config Config) *Act {
	name, tag := splitImage(container.Image)
	if !strings.HasSuffix(name, "/workflow-controller") || !strictArgo(tag) {
		return nil
	}
	settings := config(pod.Namespace, configMapOf(container))
	if settings == nil || !setsExecutor(settings) {
		return nil
	}
	return &Act{Behaviour: Crashes, ExitCode: 1, Log: `Failed to register watch for controller config map: error unmarshaling JSON: while decoding JSON: json: unknown field "containerRuntimeExecutor"`}
}

func strictArgo(tag string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(strings.TrimPrefix(tag, "v"), "%d.%d", &major, &minor); err != nil {
		return tag == "latest"
	}
	return major > 3 || major == 3 && minor >= 4
}

func configMapOf(container *corev1.Container) string {
	words := slices.Concat(container.Command, container.Args)
	for i, word := range words {
		if value, ok := strings.CutPrefix(word, "--configmap="); ok {
			return value
		}
		if word == "--configmap" && i+1 < len(words) {
			return words[i+1]
		}
	}
	return "workflow-controller-configmap"
}

func setsExecutor(settings *corev1.ConfigMap) bool {
	if _, ok := settings.Data[executorKey]; ok {
		return true
	}
	var inner map[string]any
	if yaml.Unmarshal([]byte(settings.Data["config"]), &inner) != nil {
		return false
	}
	_, ok := inner[executorKey]
	return ok
}
