package pods

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A Behaviour is what a container's program does once it is started.
type Behaviour int

// What programs do.
const (
	Runs      Behaviour = iota // and is ready
	Hangs                      // runs, but never becomes ready
	Crashes                    // ends at once with ExitCode, again and again
	Completes                  // ends with 0 after a moment
	Unpulled                   // its image cannot be had
)

// An Act is a behaviour with its particulars.
type Act struct {
	Behaviour Behaviour
	ExitCode  int32
	Log       string // the last words of a program that crashes
}

// A Script says how the images of this sandbox behave. The keys and entries
// are parts of image names.
type Script struct {
	StartDelay   time.Duration            // from scheduled to started
	Delays       map[string]time.Duration // instead of StartDelay
	PullFailures []string
	Hanging      []string
}

// A Rule knows one way in which real programs fail. It returns nil for
// containers that are none of its business.
type Rule func(pod *corev1.Pod, container *corev1.Container, config Config) *Act

// Config looks up a ConfigMap of the pod's namespace; nil where there is none.
type Config func(namespace, name string) *corev1.ConfigMap

var rules = []Rule{mpiOperator, workflowController}

func (s Script) act(pod *corev1.Pod, container *corev1.Container, config Config) Act {
	if contains(s.PullFailures, container.Image) {
		return Act{Behaviour: Unpulled}
	}
	for _, rule := range rules {
		if act := rule(pod, container, config); act != nil {
			return *act
		}
	}
	switch {
	case contains(s.Hanging, container.Image):
		return Act{Behaviour: Hangs}
	case pod.Spec.RestartPolicy != corev1.RestartPolicyAlways && container.Name != "istio-proxy":
		return Act{Behaviour: Completes}
	}
	return Act{Behaviour: Runs}
}

// delay is how long an image takes from scheduled to started: that of the
// longest part of its name that is listed.
func (s Script) delay(image string) time.Duration {
	best, delay := "", s.StartDelay
	for part, d := range s.Delays {
		if strings.Contains(image, part) && len(part) >= len(best) {
			best, delay = part, d
		}
	}
	return delay
}

func contains(parts []string, image string) bool {
	for _, part := range parts {
		if strings.Contains(image, part) {
			return true
		}
	}
	return false
}
