package kube

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func TestAPodSaysWhyItIsNotReady(t *testing.T) {
	const scheduled = "{type: PodScheduled, status: 'True'}"
	for name, c := range map[string]struct {
		pod, want string
		persists  bool
	}{
		"ready":       {pod: `status: {conditions: [{type: Ready, status: 'True'}]}`},
		"succeeded":   {pod: `status: {phase: Succeeded}`},
		"terminating": {pod: `{metadata: {deletionTimestamp: "2026-01-01T00:00:00Z"}, status: {conditions: [{type: Ready, status: 'True'}]}}`, want: "the pod is terminating"},
		"crash-looping": {persists: true, want: "container a is crash-looping (exit code 2, 14 restarts)",
			pod: `status: {containerStatuses: [{name: a, ready: false, restartCount: 14, state: {waiting: {reason: CrashLoopBackOff, message: back-off 5m0s}}, lastState: {terminated: {exitCode: 2, reason: Error}}}]}`},
		"out of memory": {persists: true, want: "container a crashed (exit code 137, OOMKilled, 1 restart)",
			pod: `status: {containerStatuses: [{name: a, ready: false, restartCount: 1, state: {running: {}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]}`},
		"ends successfully, again and again": {persists: true, want: "container a is crash-looping (exit code 0, Completed, 3 restarts)",
			pod: `status: {containerStatuses: [{name: a, restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 0, reason: Completed}}}]}`},
		"image": {persists: true, want: "container a: ImagePullBackOff: Back-off pulling image",
			pod: `status: {initContainerStatuses: [{name: b, ready: true, state: {terminated: {exitCode: 0}}}], containerStatuses: [{name: a, state: {waiting: {reason: ImagePullBackOff, message: Back-off pulling image}}}]}`},
		"config": {persists: true, want: "container a: CreateContainerConfigError",
			pod: `status: {containerStatuses: [{name: a, state: {waiting: {reason: CreateContainerConfigError}}}]}`},
		"no node": {persists: true, want: "the pod cannot be scheduled: 0/3 nodes are available: 3 Insufficient cpu.",
			pod: `status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', message: "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available"}]}`},
		"just made":      {pod: `status: {phase: Pending}`, want: "the pod is not scheduled yet"},
		"starting":       {pod: `status: {phase: Pending, conditions: [` + scheduled + `]}`, want: "the pod is starting"},
		"init container": {pod: `{spec: {initContainers: [{name: b, image: "img:1"}]}, status: {phase: Pending, conditions: [` + scheduled + `], initContainerStatuses: [{name: b, image: "sha256:1", state: {running: {}}}]}}`, want: "init container b is still running (image img:1)"},
		"created": {pod: `{spec: {containers: [{name: a, image: "img:1"}]}, status: {phase: Pending, conditions: [` + scheduled + `], containerStatuses: [{name: a, state: {waiting: {reason: ContainerCreating}}}]}}`,
			want: "container a is being created (image img:1)"},
		"probe fails":   {pod: `status: {phase: Running, conditions: [` + scheduled + `], containerStatuses: [{name: a, ready: false, state: {running: {}}}]}`, want: "the pod is running, but not ready"},
		"strange types": {pod: `status: {phase: 7, conditions: {}, containerStatuses: [3, {name: [], state: x}]}`, want: "the pod is not scheduled yet"},
	} {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(c.pod), &o); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		problem, got := WhyNotReady(&unstructured.Unstructured{Object: o}), ""
		if problem != nil {
			got = problem.String()
		}
		if got != c.want || problem.Persists() != c.persists {
			t.Errorf("%s: %q (persists: %v), want %q (%v)", name, got, problem.Persists(), c.want, c.persists)
		}
	}
}
