package progress

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// waits is what a component waits for, and since when.
type waits struct {
	ref   cluster.Ref
	why   string
	gate  bool // it waits for something else before it can be applied
	since time.Time
}

// observe takes in what a component still waits for. Waiting for the same object goes on, whatever keeps it now.
func (w *waits) observe(e events.StillWaiting, now time.Time) {
	gate := strings.HasPrefix(e.Why, "waits for ")
	if !gate && e.Tally.Applied == 0 {
		*w = waits{}
		return
	}
	if w.since.IsZero() || w.ref != e.Ref {
		w.since = now
	}
	w.ref, w.why, w.gate = e.Ref, e.Why, gate
}

// stuck reports whether it has been waiting for one object for long.
func (w *waits) stuck(now time.Time) bool {
	return !w.since.IsZero() && now.Sub(w.since) >= stuck
}

// line says what is waited for, the reason first: a line may be cut at its end.
//
//	ImagePullBackOff centraldashboard 47s  Back-off pulling image
//	mysql 4.0s: pulling image mysql:8
func (w *waits) line(now time.Time) string {
	if w.since.IsZero() {
		return ""
	}
	age := ui.Brief(now.Sub(w.since))
	if w.gate {
		return w.why + " " + age
	}
	name := w.ref.Name
	if w.ref.Kind == "CustomResourceDefinition" {
		name = "CRD " + name
	}
	if reason, detail := headline(w.why); reason != "" {
		return strings.TrimSpace(fmt.Sprintf("%s %s %s  %s", reason, name, age, detail))
	}
	return fmt.Sprintf("%s %s: %s", name, age, replicas.ReplaceAllString(w.why, ""))
}

var (
	// replicas begins the reason of a workload; the component's count says the same.
	replicas = regexp.MustCompile(`^\d+/\d+ ready, `)
	// reasoned is a reason as Kubernetes writes them (ImagePullBackOff, FailedMount) and a message.
	reasoned = regexp.MustCompile(`^(?:container \S+: )?((?:[A-Z]\w*[a-z][A-Z]\w*|OOMKilled|Unhealthy))(?:: (.*)|$)`)
	crashing = regexp.MustCompile(`^container \S+ (?:is crash-looping|crashed) \((.*?)\)`)
)

// headline splits a reason into Kubernetes' word for it and the rest; "" without such a word.
func headline(why string) (reason, detail string) {
	why = replicas.ReplaceAllString(why, "")
	if found := reasoned.FindStringSubmatch(why); found != nil {
		return found[1], found[2]
	}
	if found := crashing.FindStringSubmatch(why); found != nil {
		return "CrashLoopBackOff", found[1]
	}
	if _, message, found := strings.Cut(why, "the pod cannot be scheduled: "); found {
		return "Unschedulable", message
	}
	return "", ""
}
