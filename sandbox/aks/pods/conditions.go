package pods

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// conditions sets a pod's conditions from its containers.
func conditions(s *corev1.PodStatus, initialized bool) {
	var unready []string
	for _, c := range slices.Concat(s.InitContainerStatuses, s.ContainerStatuses) {
		if !c.Ready {
			unready = append(unready, c.Name)
		}
	}
	reason, message := "", ""
	switch {
	case s.Phase == corev1.PodSucceeded:
		reason = "PodCompleted"
	case len(unready) > 0:
		reason, message = "ContainersNotReady", "containers with unready status: ["+strings.Join(unready, " ")+"]"
	}
	ready := reason == ""
	set(s, corev1.PodInitialized, initialized, "", "")
	set(s, corev1.PodReady, ready, reason, message)
	set(s, corev1.ContainersReady, ready, reason, message)
}

func set(s *corev1.PodStatus, kind corev1.PodConditionType, is bool, reason, message string) {
	want := corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse, Reason: reason, Message: message, LastTransitionTime: metav1.Now()}
	if is {
		want.Status = corev1.ConditionTrue
	}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if c.Type != kind {
			continue
		}
		if c.Status == want.Status {
			want.LastTransitionTime = c.LastTransitionTime
		}
		want.ObservedGeneration = c.ObservedGeneration
		*c = want
		return
	}
	s.Conditions = append(s.Conditions, want)
}
