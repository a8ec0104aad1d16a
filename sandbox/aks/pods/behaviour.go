package pods

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A Behaviour is what a container's program does after its start.
type Behaviour int

// The behaviours.
const (
	Runs      Behaviour = iota // and becomes ready
	Hangs                      // runs, but never becomes ready
	Crashes                    // exits at once with ExitCode (CrashLoopBackOff)
	Completes                  // exits with 0 after a moment
	Unpulled                   // its image cannot be pulled (ImagePullBackOff)
)

// An Act is a behaviour with its parameters.
type Act struct {
	Behaviour Behaviour
	ExitCode  int32
	Log       string // the last log lines of a crashing program
}

// A Script defines how the images of this sandbox behave. Keys and entries are
// substrings of image names.
type Script struct {
	StartDelay   time.Duration            // from scheduled to started
	Delays       map[string]time.Duration // instead of StartDelay
	PullFailures []string
	Hanging      []string
	Rules        []Rule // of programs that run for real
}

// A Rule simulates one way in which real programs fail. It returns nil for
// other containers.
type Rule func(pod *corev1.Pod, container *corev1.Container, config Config) *Act

// Config returns a ConfigMap of the pod's namespace, nil if it does not exist.
type Config func(namespace, name string) *corev1.ConfigMap

var rules = []Rule{mpiOperator, workflowController}

func (s Script) act(pod *corev1.Pod, container *corev1.Container, config Config) Act {
	if contains(s.PullFailures, container.Image) {
		return Act{Behaviour: Unpulled}
	}
	for _, rule := range slices.Concat(s.Rules, rules) {
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

// delay returns how long an image takes from scheduling to start: the delay of
// the longest listed substring of its name.
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
