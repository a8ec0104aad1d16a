package pods

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// decide advances a pod's life to now and returns its status, and when to
// reconcile again (zero: only after a change).
func decide(pod *corev1.Pod, l *life, script Script, config Config, runtime string, now time.Time) (corev1.PodStatus, time.Time) {
	var next time.Time
	step := func(c *corev1.Container, delay time.Duration, act Act) {
		next = sooner(next, l.step(c.Name, delay, act, now))
	}
	// Init containers are pulled before the others; together they take as long
	// as the slowest image, since a node pulls several at once.
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		act := script.act(pod, c, config)
		if act.Behaviour != Unpulled {
			act = Act{Behaviour: Completes}
			if sidecar(c) {
				act = Act{Behaviour: Runs}
			}
		}
		step(c, script.delay(c.Image), act)
		// An ordinary init container takes no time.
		if l.containers[c.Name].stage == running && !sidecar(c) {
			l.containers[c.Name].stage = ended
		}
	}
	if l.initialized(pod) {
		for i := range pod.Spec.Containers {
			c := &pod.Spec.Containers[i]
			step(c, script.delay(c.Image), script.act(pod, c, config))
		}
	}
	if l.over(pod) {
		l.endSidecars(now)
	}
	return status(pod, l, runtime), next
}

// over reports whether every container except the sidecars has terminated.
func (l *life) over(pod *corev1.Pod) bool {
	for i := range pod.Spec.Containers {
		if c := l.containers[pod.Spec.Containers[i].Name]; c == nil || c.stage != ended {
			return false
		}
	}
	return true
}

func (l *life) endSidecars(now time.Time) {
	for _, c := range l.containers {
		if c.stage == running {
			c.stage, c.ready, c.since = ended, false, now
		}
	}
}

func sidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func (l *life) initialized(pod *corev1.Pod) bool {
	for i := range pod.Spec.InitContainers {
		c := l.containers[pod.Spec.InitContainers[i].Name]
		if c == nil || c.stage != ended && c.stage != running {
			return false
		}
	}
	return true
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
