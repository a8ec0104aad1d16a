package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// still is an Install without a clock of its own, so that a test decides what time it is and when it draws.
func still(screen *ui.Screen, now *time.Time, stages ...string) *Install {
	p := &Install{screen: screen, region: ui.NewRegion(screen), objects: 135, now: func() time.Time { return *now }, began: *now, spoke: *now}
	for _, name := range stages {
		p.stages = append(p.stages, &stage{name: name})
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
	p := still(&ui.Screen{ErrOut: &out, Width: 80, Unicode: true}, &now, "istio", "pipelines")
	p.Observe(events.StageStarted{Stage: "istio", Tally: events.Tally{Total: 2}})
	p.Observe(events.StageStarted{Stage: "pipelines", Tally: events.Tally{Total: 133}})
	now = now.Add(4 * time.Second)
	p.Observe(events.ObjectApplied{Stage: "istio", Tally: events.Tally{Applied: 2, Total: 2}})
	p.Observe(events.StageReady{Stage: "istio", Took: 5 * time.Second, Tally: events.Tally{Applied: 2, Ready: 2, Total: 2}})
	p.Observe(events.StageReady{Stage: "istio", Took: 6 * time.Second, Tally: events.Tally{Applied: 2, Ready: 2, Total: 2}})
	p.Observe(mysql("0/1 ready, container mysql: ImagePullBackOff: Back-off pulling image"))
	now = now.Add(61 * time.Second)
	p.beat()
	p.Observe(events.ObjectPruned{Ref: cluster.Ref{Kind: "ConfigMap", Namespace: "kubeflow", Name: "old"}})
	want := `istio: all 2 applied after 4.0s
istio: ready after 5.0s, 2 objects
after 1m05s: 1/2 components, 134/135 objects; waiting for pipelines (ImagePullBackOff mysql 1m01s  Back-off pulling image)
ConfigMap/kubeflow/old removed: no longer wanted
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestAComponentThatWasReadyBeforeIsNotNamedInAPipe(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := still(&ui.Screen{ErrOut: &out, Width: 80, Unicode: true}, &now, "istio", "dex")
	for _, stage := range []string{"istio", "dex"} {
		p.Observe(events.StageStarted{Stage: stage, Tally: events.Tally{Total: 2}})
		p.Observe(events.ObjectApplied{Stage: stage, Changed: stage == "dex", Tally: events.Tally{Applied: 2, Ready: 2, Total: 2}})
		p.Observe(events.StageReady{Stage: stage, Took: time.Millisecond, Tally: events.Tally{Applied: 2, Ready: 2, Total: 2}})
	}
	if want := "dex: ready after 0.0s, 2 objects\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestATerminalGetsOneBarAndTheComponentsUnderWayInItsWidth(t *testing.T) {
	for _, width := range []int{40, 60, 80, 160} {
		var out bytes.Buffer
		now := time.Unix(0, 0)
		stages := []string{"istio", "pipelines"}
		for i := range 15 {
			stages = append(stages, "component-"+string(rune('a'+i)))
		}
		p := still(&ui.Screen{ErrOut: &out, Width: width, Unicode: true, Live: true}, &now, stages...)
		p.objects = 17 * 20
		for i, name := range stages {
			if i < 12 { // the others have not begun, and the denominator counts them all the same
				p.Observe(events.StageStarted{Stage: name, Tally: events.Tally{Total: 20}})
			}
		}
		waiting := mysql("0/1 ready, container mysql: ImagePullBackOff: " + strings.Repeat("a reason that goes on and on, ", 10))
		waiting.Tally = events.Tally{Applied: 20, Ready: 7, Total: 20}
		p.Observe(waiting)
		now = now.Add(20 * time.Second)
		waiting.Why = "0/1 ready, container mysql: ImagePullBackOff: another message"
		p.Observe(waiting)
		now = now.Add(27 * time.Second)
		lines := p.lines()
		p.Observe(events.StageReady{Stage: "istio", Took: time.Minute, Tally: events.Tally{Applied: 20, Ready: 20, Total: 20}})
		later := p.lines()
		for _, line := range append(lines, later...) {
			if columns := ui.Columns(line); columns > width-1 {
				t.Errorf("%d columns of %d: %s", columns, width, line)
			}
		}
		if len(lines) != 1+mostLines+1 || !strings.Contains(lines[len(lines)-1], "and 4 more") {
			t.Errorf("not a bar, %d components and how many more:\n%s", mostLines, strings.Join(lines, "\n"))
		}
		if first := lines[1]; !strings.HasPrefix(first, " ! pipelines") || !strings.Contains(first, "ImagePullB") || width >= 60 && !strings.Contains(first, "7/20   ImagePullBackOff mysql 47s") {
			t.Errorf("what is stuck does not come first, with the reason first:\n%s", first)
		}
		if !strings.Contains(lines[0], "0/17 components") || width >= 60 && !strings.Contains(lines[0], "7/340 objects   0:47") {
			t.Errorf("the first bar is %s", lines[0])
		}
		if !strings.Contains(later[0], "1/17 components") || width >= 60 && !strings.Contains(later[0], "27/340 objects") {
			t.Errorf("the second bar is %s", later[0])
		}
	}
}

func TestTheReasonComesFirst(t *testing.T) {
	for why, want := range map[string]string{
		"0/1 ready, container a: ImagePullBackOff: Back-off pulling image":   "ImagePullBackOff dex 5.0s  Back-off pulling image",
		"0/1 ready, container a is crash-looping (exit code 2, 14 restarts)": "CrashLoopBackOff dex 5.0s  exit code 2, 14 restarts",
		"0/2 ready, the pod cannot be scheduled: 0/3 nodes are available":    "Unschedulable dex 5.0s  0/3 nodes are available",
		"FailedMount: Unable to attach or mount volumes":                     "FailedMount dex 5.0s  Unable to attach or mount volumes",
		"0/1 ready, pulling image mysql:8":                                   "dex 5.0s: pulling image mysql:8",
		"ReplicaSet dex-1 is not there":                                      "dex 5.0s: ReplicaSet dex-1 is not there",
		"waits for validation.webhook: Deployment istiod 0/1 ready":          "waits for validation.webhook: Deployment istiod 0/1 ready 5.0s",
		"0/1 ready, container a: CreateContainerConfigError":                 "CreateContainerConfigError dex 5.0s",
	} {
		var w waits
		w.observe(events.StillWaiting{Ref: cluster.Ref{Kind: "Deployment", Name: "dex"}, Why: why, Tally: events.Tally{Applied: 1, Total: 2}}, time.Unix(0, 0))
		if got := w.line(time.Unix(5, 0)); got != want {
			t.Errorf("%s\n got %q\nwant %q", why, got, want)
		}
	}
}

func TestLinesThatANarrowerTerminalWrapsAreTakenOffWhole(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := still(&ui.Screen{ErrOut: &out, Width: 80, Unicode: true, Live: true, Color: true}, &now, "pipelines")
	p.Observe(events.StageStarted{Stage: "pipelines", Tally: events.Tally{Total: 133}})
	p.Observe(mysql(strings.Repeat("a reason that goes on and on, ", 10)))
	p.region.Draw(p.lines())
	p.screen.Width = 30
	out.Reset()
	p.region.Erase()
	if want := escape.Over(6); out.String() != want { // 79 and 76 columns on three rows each
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
