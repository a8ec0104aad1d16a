package kube

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// A Container is what a pod's status says about one of its containers.
type Container struct {
	Name     string
	Image    string // as the pod's spec names it
	Init     bool
	Ready    bool
	State    string // "waiting", "running" or "terminated"
	Reason   string // why it waits: "CrashLoopBackOff"
	Message  string // the kubelet's words for it
	Last     *Exit  // how it ended the last time, nil when it never did
	Restarts int64
}

// An Exit is how a container ended.
type Exit struct {
	Code   int64
	Reason string // "Error", "OOMKilled", "Completed"
}

// Containers returns what a pod's status says about its containers, init containers first.
func Containers(pod *unstructured.Unstructured) []Container {
	images := map[string]string{}
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range Items(pod.Object, "spec", list) {
			images[Text(c, "name")] = Text(c, "image")
		}
	}
	var out []Container
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, status := range Items(pod.Object, "status", list) {
			c := Container{
				Name: Text(status, "name"), Image: Text(status, "image"), Init: list == "initContainerStatuses", Ready: Flag(status, "ready"),
				Reason: Text(status, "state", "waiting", "reason"), Message: Text(status, "state", "waiting", "message"),
				Last: lastExit(status), Restarts: Number(status, "restartCount"),
			}
			if image := images[c.Name]; image != "" {
				c.Image = image // the status may have the image's ID
			}
			for _, state := range []string{"waiting", "running", "terminated"} {
				if Map(status, "state", state) != nil {
					c.State = state
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// lastExit returns how a container ended: now, or before it was started again.
func lastExit(status map[string]any) *Exit {
	for _, state := range []string{"state", "lastState"} {
		if code, found, _ := unstructured.NestedInt64(status, state, "terminated", "exitCode"); found {
			return &Exit{Code: code, Reason: Text(status, state, "terminated", "reason")}
		}
	}
	return nil
}

// Done reports whether it has ended as it should.
func (c Container) Done() bool { return c.State == "terminated" && c.Last != nil && c.Last.Code == 0 }

// CrashLooping reports whether the kubelet waits ever longer before it starts the container again.
func (c Container) CrashLooping() bool { return c.Reason == "CrashLoopBackOff" }

// Crashed reports whether the container is not ready and ended with an error the last time, or is crash-looping.
func (c Container) Crashed() bool {
	return !c.Ready && (c.CrashLooping() || c.Last != nil && c.Last.Code != 0)
}

// ImagePullFailed reports whether its image cannot be pulled.
func (c Container) ImagePullFailed() bool {
	return slices.Contains([]string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}, c.Reason)
}

// Blocked reports whether the container waits for something else than being created.
func (c Container) Blocked() bool {
	return !c.Ready && c.Reason != "" && c.Reason != "ContainerCreating" && c.Reason != "PodInitializing"
}

// crash says how the container crashes.
func (c Container) crash() string {
	what, restarts := "crashed", text.Plural(int(c.Restarts), "restart")
	if c.CrashLooping() {
		what = "is crash-looping"
	}
	if c.Last == nil {
		return fmt.Sprintf("container %s %s (%s)", c.Name, what, restarts)
	}
	code := fmt.Sprintf("exit code %d", c.Last.Code)
	if r := c.Last.Reason; r != "" && r != "Error" {
		code += ", " + r
	}
	return fmt.Sprintf("container %s %s (%s, %s)", c.Name, what, code, restarts)
}
