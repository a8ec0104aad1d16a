package ui

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// still is a Progress without a clock of its own, so that a test decides what time it is and when it draws.
func still(screen *Screen, now *time.Time, stages ...string) *Progress {
	p := &Progress{screen: screen, now: func() time.Time { return *now }, began: *now, spoke: *now}
	for _, name := range stages {
		p.stages = append(p.stages, &stageLine{name: name})
	}
	return p
}

func mysql(why string) events.StillWaiting {
	return events.StillWaiting{Stage: "pipelines", Ref: cluster.Ref{Kind: "Deployment", Namespace: "kubeflow", Name: "mysql"},
		Why: why, Tally: events.Tally{Applied: 133, Ready: 132, Total: 133}}
}

func TestAPipeGetsALineForEachChangeAndAHeartbeat(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := still(&Screen{ErrOut: &out, Width: 80, Unicode: true}, &now, "istio", "pipelines")
	p.Observe(events.StageStarted{Stage: "istio", Tally: events.Tally{Total: 2}})
	p.Observe(events.StageStarted{Stage: "pipelines", Tally: events.Tally{Total: 133}})
	now = now.Add(4 * time.Second)
	p.Observe(events.ObjectApplied{Stage: "istio", Tally: events.Tally{Applied: 2, Total: 2}})
	p.Observe(events.StageReady{Stage: "istio", Took: 5 * time.Second, Tally: events.Tally{Applied: 2, Ready: 2, Total: 2}})
	p.Observe(events.StageReady{Stage: "istio", Took: 6 * time.Second, Tally: events.Tally{Applied: 2, Ready: 2, Total: 2}})
	p.Observe(mysql("Available: 0/1"))
	now = now.Add(61 * time.Second)
	p.beat()
	p.Observe(events.ObjectPruned{Ref: cluster.Ref{Kind: "ConfigMap", Namespace: "kubeflow", Name: "old"}})
	want := `istio: all 2 applied after 4.0s
istio: ready after 5.0s, 2 objects
after 1m05s: 132 of 133 ready, waiting for pipelines (Deployment mysql: Available: 0/1)
ConfigMap/kubeflow/old removed: no longer wanted
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestATerminalGetsOneLineForEachComponentInItsWidth(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	stages := []string{"istio", "pipelines"}
	for i := range 15 {
		stages = append(stages, "component-"+string(rune('a'+i)))
	}
	p := still(&Screen{ErrOut: &out, Width: 80, Unicode: true, Live: true}, &now, stages...)
	for _, name := range stages {
		p.Observe(events.StageStarted{Stage: name, Tally: events.Tally{Total: 20}})
	}
	p.Observe(mysql(strings.Repeat("a reason that goes on and on, ", 10)))
	now = now.Add(75 * time.Second)
	p.redraw()
	p.Observe(events.StageReady{Stage: "istio", Took: time.Minute, Tally: events.Tally{Applied: 20, Ready: 20, Total: 20}})
	p.redraw()
	frames := strings.Split(out.String(), escape.Over(14))
	if len(frames) != 2 {
		t.Fatalf("want two frames, the second drawn over the first, got %d:\n%q", len(frames), out.String())
	}
	for line := range strings.Lines(frames[0] + frames[1]) {
		if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 79 {
			t.Errorf("%d columns: %s", width, line)
		}
	}
	if !strings.Contains(frames[0], "pipelines   132/133 ready  1m15s  Deployment mysql: a reason") || !strings.Contains(frames[0], "and 5 more") {
		t.Errorf("the first frame is\n%s", frames[0])
	}
	if !strings.HasSuffix(frames[0], "  132 of 453 objects ready after 1m15s\n") {
		t.Errorf("the last line does not say how far all is:\n%s", frames[0])
	}
	if !strings.HasPrefix(frames[1], "✓ istio") {
		t.Errorf("what is finished does not keep its line:\n%s", frames[1])
	}
}

func TestLinesThatANarrowerTerminalWrapsAreTakenOffWhole(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := still(&Screen{ErrOut: &out, Width: 80, Unicode: true, Live: true, Color: true}, &now, "pipelines")
	p.Observe(events.StageStarted{Stage: "pipelines", Tally: events.Tally{Total: 133}})
	p.Observe(mysql(strings.Repeat("a reason that goes on and on, ", 10)))
	p.redraw()
	p.screen.Width = 30
	out.Reset()
	p.erase()
	if want := escape.Over(5); out.String() != want { // 79 columns on three rows, 38 on two
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
