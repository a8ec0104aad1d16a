package network

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestPrinted(t *testing.T) {
	ended := func(words string) *corev1.ContainerStateTerminated {
		return &corev1.ContainerStateTerminated{ExitCode: 2, Message: words}
	}
	crashing := corev1.ContainerStatus{Name: "main"}
	crashing.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
	crashing.LastTerminationState.Terminated = ended("flag provided but not defined")
	running := corev1.ContainerStatus{Name: "main"}
	running.State.Running = &corev1.ContainerStateRunning{}
	pulling := corev1.ContainerStatus{Name: "main"}
	pulling.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}

	for _, test := range []struct {
		name     string
		status   corev1.ContainerStatus
		previous bool
		want     string
		fails    bool
	}{
		{"a crashing container's log is its last words", crashing, false, "flag provided but not defined\n", false},
		{"and so is the log of its run before", crashing, true, "flag provided but not defined\n", false},
		{"a running container is silent", running, false, "", false},
		{"a container that never ended has no run before", running, true, "", true},
		{"a container that has not started has no log", pulling, false, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{test.status}}}
			got, err := printed(pod, "main", test.previous)
			if got != test.want || (err != nil) != test.fails {
				t.Errorf("printed %q, %v; want %q, failing %t", got, err, test.want, test.fails)
			}
		})
	}
}
