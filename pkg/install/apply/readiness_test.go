package apply

import (
	"fmt"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// TestAResponseDoesNotUndoWhatTheWatchSaw: on a busy machine the controller has processed a Deployment, and the watch has said so, before
// the response to the request that changed it arrives. No event follows, so the install waited until it timed out.
func TestAResponseDoesNotUndoWhatTheWatchSaw(t *testing.T) {
	deployment := func(resourceVersion string, observed int) string {
		return fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: writer, namespace: kubeflow, generation: 2, resourceVersion: "%s"}, spec: {replicas: 1},
status: {observedGeneration: %d, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, status: "True"}]}}`, resourceVersion, observed)
	}
	response := kubetest.Objects(t, []byte(deployment("100", 1)))[0]
	processed := kubetest.Objects(t, []byte(deployment("101", 2)))[0]
	it := &item{Gated: plan.Gated{Object: response}, stage: &stage{name: "pipelines", tally: events.Tally{Total: 1}}, state: sending}
	e := &engine{items: []*item{it}, remaining: 1, options: Options{Observe: func(events.Event) {}}}
	e.observe(0, processed)
	it.state = sent
	e.observe(0, response)
	if !it.ready || e.remaining != 0 {
		t.Errorf("the Deployment is not ready: %s", it.why)
	}
	again := kubetest.Objects(t, []byte(deployment("102", 1)))[0]
	if e.observe(0, again); it.ready {
		t.Error("a later change did not make it unready")
	}
}
