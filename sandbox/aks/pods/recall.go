package pods

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// recall returns the life of a pod that was running before this program started.
func recall(pod *corev1.Pod, now time.Time) *life {
	l := newLife(now, pod.Status.PodIP)
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		c := &container{since: now, restarts: s.RestartCount, crash: s.LastTerminationState.Terminated}
		switch {
		case s.State.Running != nil:
			c.stage, c.since, c.ready = running, s.State.Running.StartedAt.Time, s.Ready
		case s.State.Terminated != nil:
			c.stage, c.since = ended, s.State.Terminated.FinishedAt.Time
		case s.LastTerminationState.Terminated != nil:
			c.stage, c.until = backingOff, now
		default:
			continue
		}
		l.containers[s.Name] = c
	}
	return l
}
