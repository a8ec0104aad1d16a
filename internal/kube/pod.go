package kube

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// PodReady reports whether a pod is ready, or has done what it was for.
func PodReady(pod *unstructured.Unstructured) bool {
	return IsTrue(pod, "Ready") || Text(pod.Object, "status", "phase") == "Succeeded"
}

// A PodState is what keeps a pod from being ready.
type PodState string

// The states of a pod that is not ready.
const (
	Terminating   PodState = "terminating"   // it is being deleted
	Crashed       PodState = "crashed"       // a container exited with an error, or is crash-looping
	Waiting       PodState = "waiting"       // a container cannot start, for a reason such as ImagePullBackOff
	Unschedulable PodState = "unschedulable" // it has no node yet
	Starting      PodState = "starting"      // its containers are being created, or its init containers run
	Unready       PodState = "unready"       // its containers run, and its readiness probes fail so far
)

// A PodProblem is why a pod is not ready.
type PodProblem struct {
	State     PodState
	Container Container // the one that it is about, empty where it is about the whole pod
	Message   string    // what the scheduler says of a pod without a node
}

// WhyNotReady returns why a pod is not ready, as far as the pod itself tells; nil when it is ready.
func WhyNotReady(pod *unstructured.Unstructured) *PodProblem {
	if pod.GetDeletionTimestamp() != nil {
		return &PodProblem{State: Terminating}
	}
	if PodReady(pod) {
		return nil
	}
	containers := Containers(pod)
	for _, c := range containers {
		if c.Crashed() {
			return &PodProblem{State: Crashed, Container: c}
		}
		if c.Blocked() {
			return &PodProblem{State: Waiting, Container: c}
		}
	}
	if c := Condition(pod, "PodScheduled"); c == nil || c.Status != metav1.ConditionTrue {
		return &PodProblem{State: Unschedulable, Message: unschedulable(c)}
	}
	for _, c := range containers {
		if c.State == "waiting" || c.Init && c.State == "running" && !c.Ready {
			return &PodProblem{State: Starting, Container: c}
		}
	}
	if Text(pod.Object, "status", "phase") == "Pending" {
		return &PodProblem{State: Starting}
	}
	return &PodProblem{State: Unready}
}

// unschedulable returns what the scheduler says, without the part that nobody can act on.
func unschedulable(scheduled *metav1.Condition) string {
	if scheduled == nil {
		return ""
	}
	message, _, _ := strings.Cut(scheduled.Message, " preemption:")
	message, _, _ = strings.Cut(message, " no new claims to deallocate")
	return strings.TrimSpace(message)
}

// Persists reports whether it usually takes a person to make the pod ready: waiting longer alone does not.
func (p *PodProblem) Persists() bool {
	return p != nil && (p.State == Crashed || p.State == Waiting || p.State == Unschedulable && p.Message != "")
}

// String says in a few words what is wrong.
func (p *PodProblem) String() string {
	c := p.Container
	switch {
	case p.State == Terminating:
		return "the pod is terminating"
	case p.State == Crashed:
		return c.crash()
	case p.State == Waiting:
		return strings.TrimSuffix(fmt.Sprintf("container %s: %s: %s", c.Name, c.Reason, c.Message), ": ")
	case p.State == Unschedulable && p.Message != "":
		return "the pod cannot be scheduled: " + p.Message
	case p.State == Unschedulable:
		return "the pod is not scheduled yet"
	case p.State == Starting && c.State == "running":
		return fmt.Sprintf("init container %s is still running (image %s)", c.Name, c.Image)
	case p.State == Starting && c.Init:
		return fmt.Sprintf("init container %s is being created (image %s)", c.Name, c.Image)
	case p.State == Starting && c.Name != "":
		return fmt.Sprintf("container %s is being created (image %s)", c.Name, c.Image)
	case p.State == Starting:
		return "the pod is starting"
	}
	return "the pod is running, but not ready"
}
