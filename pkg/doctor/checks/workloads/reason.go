package workloads

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A PodReason is why a pod is not ready: what it says itself, and what the kubelet's events add.
type PodReason struct {
	What, Cause, Advice string
	PerhapsBy           []string // the checks that know more
}

// ReasonOf returns why a pod is not ready; nil for one that is ready or being deleted.
func ReasonOf(ctx context.Context, e doctor.Exam, pod *unstructured.Unstructured) (*PodReason, error) {
	problem := kube.WhyNotReady(pod)
	if problem == nil || problem.State == kube.Terminating {
		return nil, nil
	}
	r := &PodReason{What: problem.String()}
	switch c := problem.Container; problem.State {
	case kube.Crashed:
		r.PerhapsBy = []string{"pods/crashes"}
	case kube.Waiting:
		if c.ImagePullFailed() {
			r.PerhapsBy = []string{"pipelines/images", "pipelines/image-pulls"}
		} else {
			r.What, r.Cause, r.Advice = waitingReason(pod, c)
		}
	case kube.Unschedulable:
		r.PerhapsBy = []string{"nodes/taints", "storage/default-class", "storage/claims", "storage/attachments", "nodes/pod-slots", "nodes/capacity"}
		r.Advice = "The scheduler says what the pod needs."
	default:
		events, err := e.List(ctx, kube.EventKind, cluster.Scope{Fields: "involvedObject.kind=Pod,type=Warning"})
		if err != nil && !e.Without(err) {
			return nil, err
		}
		event := lastAbout(events, pod)
		if problem.State == kube.Unready {
			r.What, r.Cause, r.Advice = probeReason(pod, event)
			return r, nil
		}
		if event != nil {
			r.What, r.Cause, r.Advice = startReason(problem, event)
			r.PerhapsBy = []string{"storage/attachments"}
		}
	}
	return r, nil
}

// lastAbout returns the latest event about an object, nil if there is none.
func lastAbout(events []*unstructured.Unstructured, o *unstructured.Unstructured) map[string]any {
	var last map[string]any
	for _, event := range events {
		about := kube.Map(event.Object, "involvedObject")
		if event.GetNamespace() == o.GetNamespace() && kube.Text(about, "name") == o.GetName() && kube.Text(about, "kind") == o.GetKind() &&
			(last == nil || kube.LastSeen(event.Object) >= kube.LastSeen(last)) {
			last = event.Object
		}
	}
	return last
}

// missingKey and missingObject are what the kubelet says of a container whose configuration does not exist.
var (
	missingKey    = regexp.MustCompile(`couldn't find key (\S+) in (ConfigMap|Secret) (?:[^/\s]+/)?(\S+)`)
	missingObject = regexp.MustCompile(`(?i)\b(configmap|secret)s? "?([a-z0-9.-]+)"? not found`)
)

// waitingReason explains why a container cannot be created.
func waitingReason(pod *unstructured.Unstructured, c kube.Container) (what, cause, advice string) {
	ns := pod.GetNamespace()
	if m := missingKey.FindStringSubmatch(c.Message); m != nil {
		return fmt.Sprintf("container %s needs key %s of %s %s/%s, which does not exist", c.Name, m[1], m[2], ns, strings.Trim(m[3], `"`)), "The kubelet says: " + kube.Cause(c.Message), "Add the key, or apply the component that the object belongs to again."
	}
	if m := missingObject.FindStringSubmatch(c.Message); m != nil {
		kind := map[string]string{"configmap": "ConfigMap", "secret": "Secret"}[strings.ToLower(m[1])]
		return fmt.Sprintf("container %s needs %s %s/%s, which does not exist", c.Name, kind, ns, m[2]), "The kubelet says: " + kube.Cause(c.Message), "Create it, or apply the component that it belongs to again."
	}
	return fmt.Sprintf("container %s cannot be created (%s)", c.Name, c.Reason), "The kubelet says: " + kube.Cause(c.Message), "Correct what the message names in the pod's template."
}

// startEvents are the kubelet's events about a pod whose containers do not start.
var startEvents = []struct{ reason, sign, what, advice string }{
	{"FailedCreatePodSandBox", "address", "it gets no IP address", "The subnet or the node has no free address: use a larger subnet, or Azure CNI Overlay (az aks update --network-plugin-mode overlay)."},
	{"FailedCreatePodSandBox", "", "its sandbox cannot be created", "The network plugin of the node reports the error: check its pods in kube-system."},
	{"FailedAttachVolume", "maximum number of data disks", "its disk cannot be attached: the node's VM size allows no more disks", "Use a larger VM size, which allows more disks, or add nodes."},
	{"FailedAttachVolume", "", "its volume cannot be attached", "The message names the disk and the node."},
	{"FailedMount", "", "its volume cannot be mounted", "Create the Secret, ConfigMap or volume that the message names, or apply the component that it belongs to again."},
}

func startReason(problem *kube.PodProblem, event map[string]any) (what, cause, advice string) {
	reason, message := kube.Text(event, "reason"), kube.Text(event, "message")
	cause = reason + ": " + kube.Cause(message)
	for _, known := range startEvents {
		if known.reason == reason && strings.Contains(message, known.sign) {
			return known.what, cause, known.advice
		}
	}
	return problem.String(), cause, "Correct what the message names."
}

// probeReason names the probe that keeps a running pod from being ready.
func probeReason(pod *unstructured.Unstructured, event map[string]any) (what, cause, advice string) {
	what, advice = "it is running, but not ready", "The container's log shows why it does not answer its probe."
	for _, c := range kube.Containers(pod) {
		if c.Ready || c.Init {
			continue
		}
		what = fmt.Sprintf("container %s is running, but not ready", c.Name)
		for _, probe := range []string{"startupProbe", "readinessProbe"} {
			if asks := probeOf(pod, c.Name, probe); asks != "" && !(probe == "readinessProbe" && strings.HasPrefix(kube.Text(event, "message"), "Startup probe")) {
				what = fmt.Sprintf("the %s of container %s fails (%s)", map[string]string{"startupProbe": "startup probe", "readinessProbe": "readiness probe"}[probe], c.Name, asks)
			}
		}
		break
	}
	if kube.Text(event, "reason") == "Unhealthy" {
		cause = kube.Cause(kube.Text(event, "message"))
	}
	return what, cause, advice
}

// probeOf says what a probe asks, "" if the container has none.
func probeOf(pod *unstructured.Unstructured, container, probe string) string {
	for _, c := range kube.Items(pod.Object, "spec", "containers") {
		p := kube.Map(c, probe)
		if kube.Text(c, "name") != container || p == nil {
			continue
		}
		port := func(kind string) string {
			v, _, _ := unstructured.NestedFieldNoCopy(p, kind, "port")
			return fmt.Sprint(v)
		}
		switch {
		case kube.Map(p, "httpGet") != nil:
			return "GET :" + port("httpGet")
		case kube.Map(p, "tcpSocket") != nil:
			return "TCP :" + port("tcpSocket")
		case kube.Map(p, "grpc") != nil:
			return "gRPC :" + port("grpc")
		case kube.Map(p, "exec") != nil:
			return "a command in the container"
		}
	}
	return ""
}

// OnCluster reports whether an object is on a cluster, or has been: rendered manifests have no status, and cannot be unready.
func OnCluster(o *unstructured.Unstructured) bool {
	return o.GetUID() != "" || len(kube.Map(o.Object, "status")) > 0
}

// PodSince returns since when a pod is not ready, the zero time if that is unknown.
func PodSince(pod *unstructured.Unstructured) time.Time {
	if c := kube.Condition(pod, "Ready"); c != nil && !c.LastTransitionTime.IsZero() {
		return c.LastTransitionTime.Time
	}
	return pod.GetCreationTimestamp().Time
}

// Older reports whether something has lasted for longer than it may. What began at an unknown time has.
func Older(ctx context.Context, e doctor.Exam, since time.Time, than time.Duration) bool {
	now, err := e.Now(ctx)
	return err != nil || since.IsZero() || now.Sub(since) > than
}

// Sentence makes a sentence of what others say.
func Sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return text.Capitalized(s)
	}
	return text.Capitalized(s) + "."
}
