package install

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

func TestSlowestComponentIsReportedWithWhatItWaitedFor(t *testing.T) {
	now := time.Unix(0, 0)
	times := newTimes(func() time.Time { return now })
	if got := times.longest(); got != "" {
		t.Errorf("without an install: got %q", got)
	}
	mysql := cluster.Ref{Kind: "Deployment", Namespace: "kubeflow", Name: "mysql"}
	for _, step := range []struct {
		at    time.Duration
		event events.Event
	}{
		{0, events.StageStarted{Stage: "istio", Tally: events.Tally{Total: 1}}},
		{1, events.ObjectApplied{Stage: "istio", Changed: true, Tally: events.Tally{Total: 1, Applied: 1}}},
		{1, events.StageStarted{Stage: "pipelines", Tally: events.Tally{Total: 2}}},
		{2, events.ObjectApplied{Stage: "pipelines", Tally: events.Tally{Total: 2, Applied: 2}}},
		{3, events.StillWaiting{Stage: "pipelines", Ref: mysql, Why: "0/1 ready"}},
		{4, events.StageReady{Stage: "istio"}},
		{65, events.StageReady{Stage: "pipelines"}},
	} {
		now = time.Unix(0, 0).Add(step.at * time.Second)
		times.observe(step.event)
	}
	if got, want := times.longest(), "pipelines took longest: ready after 1m05s, waiting for Deployment/kubeflow/mysql: 0/1 ready"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got, err := json.Marshal(times.components)
	want := `[{"name":"istio","objects":1,"changed":1,"appliedSeconds":1,"readySeconds":4},` +
		`{"name":"pipelines","objects":2,"changed":0,"appliedSeconds":2,"readySeconds":65,"waitedFor":"Deployment/kubeflow/mysql: 0/1 ready"}]`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
