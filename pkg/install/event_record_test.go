package install

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func TestEventsKeepTheirShapeAsData(t *testing.T) {
	ref := cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: "kubeflow", Name: "a"}
	const object = `"object":{"apiVersion":"v1","kind":"Service","namespace":"kubeflow","name":"a"}`
	const head, tail = `{"apiVersion":"kubeflow.install/v1alpha1","event":"`, `"progress":{"applied":2,"ready":1,"total":3}}`
	tally := Tally{Applied: 2, Ready: 1, Total: 3}
	for _, c := range []struct {
		event Event
		want  string
	}{
		{StageStarted{"istio", tally}, head + `componentStarted","elapsedSeconds":0,"component":"istio",` + tail},
		{ObjectApplied{"istio", ref, false, tally}, head + `objectApplied","elapsedSeconds":0,"component":"istio",` + object + `,"changed":false,` + tail},
		{ObjectReady{"istio", ref, tally}, head + `objectReady","elapsedSeconds":0,"component":"istio",` + object + `,` + tail},
		{StillWaiting{"istio", ref, "0/1", 2, tally}, head + `waiting","elapsedSeconds":0,"component":"istio",` + object + `,"why":"0/1","more":2,` + tail},
		{StageReady{"istio", 2 * time.Second, tally}, head + `componentReady","elapsedSeconds":0,"component":"istio","tookSeconds":2,` + tail},
		{ObjectPruned{ref}, head + `objectPruned","elapsedSeconds":0,` + object + `}`},
		{ObjectKept{ref}, head + `objectKept","elapsedSeconds":0,` + object + `}`},
		{Retrying{Ref: ref, Err: errors.New("busy")}, head + `retrying","elapsedSeconds":0,` + object + `,"why":"busy"}`},
	} {
		record, ok := RecordOf(c.event)
		if got, err := json.Marshal(record); err != nil || !ok || string(got) != c.want {
			t.Errorf("%T is %s (%v), want %s", c.event, got, err, c.want)
		}
	}
}
