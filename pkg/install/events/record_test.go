package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func TestEventsKeepTheirShapeAsData(t *testing.T) {
	ref := cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: "kubeflow", Name: "a"}
	const object = `"object":{"apiVersion":"v1","kind":"Service","namespace":"kubeflow","name":"a"}`
	const head, tail = `{"apiVersion":"kubeflow.install/v1alpha1","event":"`, `"progress":{"applied":2,"ready":1,"total":3}}`
	tally := Tally{Applied: 2, Ready: 1, Total: 3}
	covered := map[string]bool{}
	var records []Record
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
		{Note{"waiting"}, head + `note","elapsedSeconds":0,"text":"waiting"}`},
		{WaveStarted{"webhooks", 3}, head + `waveStarted","elapsedSeconds":0,"wave":"webhooks","total":3}`},
		{ObjectGone{"webhooks", ref, 0}, head + `objectGone","elapsedSeconds":0,` + object + `,"wave":"webhooks","left":0}`},
		{StillThere{"webhooks", ref, "a finalizer", 1}, head + `stillThere","elapsedSeconds":0,` + object + `,"why":"a finalizer","more":1,"wave":"webhooks"}`},
		{WaveDone{"webhooks", 3, 2 * time.Second}, head + `waveDone","elapsedSeconds":0,"tookSeconds":2,"wave":"webhooks","total":3}`},
	} {
		covered[fmt.Sprintf("%T", c.event)] = true
		record, ok := NewRecord(c.event)
		records = append(records, record)
		if got, err := json.Marshal(record); err != nil || !ok || string(got) != c.want {
			t.Errorf("%T is %s (%v), want %s", c.event, got, err, c.want)
		}
	}
	page, err := os.ReadFile("../../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range eventTypes(t) {
		if !covered["events."+name] {
			t.Errorf("%s is an event, and this test does not check its JSON", name)
		}
	}
	for _, record := range records {
		if !strings.Contains(string(page), "`"+record.Event+"`") {
			t.Errorf("docs/events.md does not describe %s", record.Event)
		}
	}
}

// eventTypes returns the types of this package that implement Event.
func eventTypes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "event" {
				names = append(names, f.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	if len(names) < 12 {
		t.Fatalf("only these events were found: %v", names)
	}
	return names
}
