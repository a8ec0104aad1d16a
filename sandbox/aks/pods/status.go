package pods

import (
	"crypto/sha256"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// status returns a kubelet's status for a pod in this state.
func status(pod *corev1.Pod, l *life, runtime string) corev1.PodStatus {
	s := *pod.Status.DeepCopy()
	s.ContainerStatuses = states(pod, pod.Spec.Containers, l, runtime)
	s.InitContainerStatuses = states(pod, pod.Spec.InitContainers, l, runtime)
	s.Phase = phase(s.ContainerStatuses)
	if s.StartTime == nil {
		started := stamp(l.seen)
		s.StartTime = &started
	}
	if l.address != "" && s.Phase != corev1.PodPending {
		s.PodIP, s.PodIPs = l.address, []corev1.PodIP{{IP: l.address}}
	}
	conditions(&s, l.initialized(pod))
	return s
}

func states(pod *corev1.Pod, containers []corev1.Container, l *life, runtime string) []corev1.ContainerStatus {
	var all []corev1.ContainerStatus
	for i := range containers {
		c := l.containers[containers[i].Name]
		if c == nil {
			c = &container{}
		}
		all = append(all, c.status(pod, &containers[i], runtime))
	}
	return all
}

func (c *container) status(pod *corev1.Pod, spec *corev1.Container, runtime string) corev1.ContainerStatus {
	started := c.stage == running
	s := corev1.ContainerStatus{
		Name: spec.Name, Image: spec.Image, RestartCount: c.restarts,
		Started: &started, Ready: c.stage == running && c.ready,
	}
	if c.crash != nil {
		s.LastTerminationState.Terminated = c.crash
	}
	if c.stage != waiting && c.stage != unpulled {
		s.ImageID = fmt.Sprintf("%s@sha256:%x", withoutTag(spec.Image), sha256.Sum256([]byte(spec.Image)))
		s.ContainerID = fmt.Sprintf("%s://%x", runtime, sha256.Sum256(fmt.Append(nil, pod.UID, spec.Name, c.restarts)))
	}
	switch c.stage {
	case waiting:
		reason := "ContainerCreating"
		if len(pod.Spec.InitContainers) > 0 {
			reason = "PodInitializing"
		}
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: reason}
	case unpulled:
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: fmt.Sprintf("Back-off pulling image %q", spec.Image)}
	case running:
		s.State.Running = &corev1.ContainerStateRunning{StartedAt: stamp(c.since)}
	case backingOff:
		s.State.Waiting = &corev1.ContainerStateWaiting{
			Reason:  "CrashLoopBackOff",
			Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)", c.until.Sub(c.since), spec.Name, pod.Name, pod.Namespace, pod.UID),
		}
	case ended:
		s.State.Terminated = &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: stamp(c.since), FinishedAt: stamp(c.since)}
		s.Ready = spec.RestartPolicy == nil && isInit(pod, spec.Name)
	}
	return s
}

// stamp returns a time as the API stores it: in whole seconds.
func stamp(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }

func withoutTag(image string) string {
	name, _ := splitImage(image)
	return name
}

func isInit(pod *corev1.Pod, name string) bool {
	for i := range pod.Spec.InitContainers {
		if pod.Spec.InitContainers[i].Name == name {
			return true
		}
	}
	return false
}

func phase(containers []corev1.ContainerStatus) corev1.PodPhase {
	begun, done := false, true
	for _, c := range containers {
		begun = begun || c.ContainerID != ""
		done = done && c.State.Terminated != nil
	}
	switch {
	case done:
		return corev1.PodSucceeded
	case begun:
		return corev1.PodRunning
	}
	return corev1.PodPending
}
