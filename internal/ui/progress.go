package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// A Progress shows how an install goes on. A terminal gets one live line for each component that is under way, and
// each finished one keeps its line above them; anything else gets one line for each change and a heartbeat.
type Progress struct {
	screen  *Screen
	now     func() time.Time
	began   time.Time
	objects int // of all components

	mu     sync.Mutex
	stages []*stageLine
	drawn  []int     // how long each live line on the screen is
	turn   int       // of the spinner
	spoke  time.Time // when the last line of any kind was written
	closed chan struct{}
	done   sync.WaitGroup
}

type stageLine struct {
	name    string
	tally   events.Tally
	started time.Time
	waits   string
	ready   bool
	applied bool // said
}

const (
	heartbeat = 30 * time.Second
	frame     = 200 * time.Millisecond
	mostLines = 12 // live ones: small terminals have 24 rows
)

// NewProgress starts to draw an install of so many objects. Close ends it.
func NewProgress(screen *Screen, stages []string, objects int, now func() time.Time) *Progress {
	p := &Progress{screen: screen, now: now, began: now(), objects: objects, spoke: now(), closed: make(chan struct{})}
	for _, name := range stages {
		p.stages = append(p.stages, &stageLine{name: name})
	}
	p.done.Add(1)
	go p.tick()
	return p
}

// Close takes the live lines off the screen.
func (p *Progress) Close() {
	close(p.closed)
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

func (p *Progress) tick() {
	defer p.done.Done()
	clock := time.NewTicker(frame)
	defer clock.Stop()
	for {
		select {
		case <-p.closed:
			return
		case <-clock.C:
			p.mu.Lock()
			if p.screen.Live {
				p.turn++
				p.redraw()
			} else if p.now().Sub(p.spoke) >= heartbeat {
				p.beat()
			}
			p.mu.Unlock()
		}
	}
}

// Observe takes in one event of an install.
func (p *Progress) Observe(event events.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case events.StageStarted:
		s := p.stage(e.Stage)
		s.started, s.tally = p.now(), e.Tally
	case events.ObjectApplied:
		s := p.stage(e.Stage)
		if s.tally = e.Tally; e.Tally.Applied == e.Tally.Total && e.Tally.Ready < e.Tally.Total && !s.applied {
			s.applied = true
			p.change("%s: all %d applied after %s", s.name, e.Tally.Total, Brief(p.now().Sub(s.started)))
		}
	case events.ObjectReady:
		p.stage(e.Stage).tally = e.Tally
	case events.StillWaiting:
		s := p.stage(e.Stage)
		s.tally, s.waits = e.Tally, waits(e)
	case events.StageReady:
		s := p.stage(e.Stage)
		s.tally = e.Tally
		if !s.ready {
			s.ready = true
			p.finish(s, e.Took)
		}
	case events.Note:
		p.say("%s", e.Text)
	case events.ObjectPruned:
		p.say("%s removed: no longer wanted", e.Ref)
	case events.ObjectKept:
		p.say("%s kept: it is no longer wanted, but it may hold data", e.Ref)
	}
}

// waits says in few words what a component waits for.
func waits(e events.StillWaiting) string {
	switch {
	case strings.HasPrefix(e.Why, "waits for "):
		return e.Why
	case e.Tally.Applied == 0:
		return ""
	}
	kind := e.Ref.Kind
	if kind == "CustomResourceDefinition" {
		kind = "CRD" // there is little room on a line
	}
	return fmt.Sprintf("%s %s: %s", kind, e.Ref.Name, e.Why)
}

func (p *Progress) stage(name string) *stageLine {
	for _, s := range p.stages {
		if s.name == name {
			return s
		}
	}
	s := &stageLine{name: name, started: p.now()}
	p.stages = append(p.stages, s)
	return s
}

// change is a line that only a pipe needs: a terminal shows it live.
func (p *Progress) change(format string, args ...any) {
	if !p.screen.Live {
		p.say(format, args...)
	}
}

// say writes a line that stays.
func (p *Progress) say(format string, args ...any) {
	p.erase()
	p.screen.Say(format, args...)
	p.spoke = p.now()
}

func (p *Progress) finish(s *stageLine, took time.Duration) {
	if !p.screen.Live {
		p.say("%s: ready after %s, %s", s.name, Brief(took), text.Plural(s.tally.Total, "object"))
		return
	}
	p.say("%s %s", p.screen.Done(), clip(fmt.Sprintf("%s ready  %4d objects  %6s", p.column(s.name), s.tally.Total, Brief(took)), p.screen.Width-4))
}

// beat says, where nothing is drawn live, that the install goes on and what it waits for.
func (p *Progress) beat() {
	var waits []string
	var sum events.Tally
	for _, s := range p.stages {
		if !s.ready {
			sum.Ready, sum.Total, sum.Applied = sum.Ready+s.tally.Ready, sum.Total+s.tally.Total, sum.Applied+s.tally.Applied
			if s.waits != "" {
				waits = append(waits, fmt.Sprintf("%s (%s)", s.name, s.waits))
			}
		}
	}
	line := fmt.Sprintf("after %s: %d of %d ready", Brief(p.now().Sub(p.began)), sum.Ready, sum.Total)
	if len(waits) > 0 {
		line += ", waiting for " + text.List(waits, 3)
	}
	p.say("%s", line)
}
