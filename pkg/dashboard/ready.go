package dashboard

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// Unready returns why the gateway itself cannot answer, "" when one of its pods is ready.
func (g Gateway) Unready() string {
	all := make([]*corev1.Pod, 0, len(g.Pods))
	for i := range g.Pods {
		if PodReady(&g.Pods[i]) {
			return ""
		}
		all = append(all, &g.Pods[i])
	}
	return WhyNotReady(all)
}

// PodReady reports whether a pod is ready and not terminating.
func PodReady(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
		return false
	}
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// WhyNotReady returns why none of the gateway's pods is ready.
func WhyNotReady(all []*corev1.Pod) string {
	if len(all) == 0 {
		return "the gateway has no pod"
	}
	for _, pod := range all {
		if pod.DeletionTimestamp != nil {
			continue
		}
		o, err := runtime.DefaultUnstructuredConverter.ToUnstructured(pod)
		if problem := kube.WhyNotReady(&unstructured.Unstructured{Object: o}); err == nil && problem != nil {
			return fmt.Sprintf("pod %s: %s", pod.Name, problem)
		}
		return fmt.Sprintf("pod %s is not ready", pod.Name)
	}
	return "the gateway's pod is terminating, and its replacement has not been created yet"
}
