package progress

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// An Install shows how an install goes on. A terminal gets one bar for all of it, and beneath it the components that are under
// way; anything else gets one line for each change and a heartbeat.
type Install struct {
	screen  *ui.Screen
	region  *ui.Region
	now     func() time.Time
	began   time.Time
	objects int // of all components; it does not change

	mu     sync.Mutex
	stages []*stage
	turn   int       // of the spinner
	spoke  time.Time // when the last line of any kind was written
	closed chan struct{}
	done   sync.WaitGroup
}

type stage struct {
	name    string
	tally   events.Tally
	started time.Time
	waits   waits
	ready   bool
	applied bool // reported
	changed bool // at least one object
}

const (
	heartbeat = 30 * time.Second
	frame     = 200 * time.Millisecond
	stuck     = 30 * time.Second // of waiting for one object, after which it is marked
)

// NewInstall starts to draw an install of so many objects. Close ends it.
func NewInstall(screen *ui.Screen, stages []string, objects int, now func() time.Time) *Install {
	p := &Install{screen: screen, region: ui.NewRegion(screen), now: now, began: now(), objects: objects, spoke: now(), closed: make(chan struct{})}
	for _, name := range stages {
		p.stages = append(p.stages, &stage{name: name})
	}
	p.done.Go(p.tick)
	return p
}

// Close takes the live lines off the screen.
func (p *Install) Close() {
	close(p.closed)
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.region.Erase()
}

func (p *Install) tick() {
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
				p.region.Draw(p.lines())
			} else if p.now().Sub(p.spoke) >= heartbeat {
				p.beat()
			}
			p.mu.Unlock()
		}
	}
}

// Observe takes in one event of an install.
func (p *Install) Observe(event events.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case events.StageStarted:
		s := p.stage(e.Stage)
		s.started, s.tally = p.now(), e.Tally
	case events.ObjectApplied:
		s := p.stage(e.Stage)
		s.changed = s.changed || e.Changed
		if s.tally = e.Tally; e.Tally.Applied == e.Tally.Total && e.Tally.Ready < e.Tally.Total && !s.applied {
			s.applied = true
			p.change("%s: all %d applied after %s", s.name, e.Tally.Total, ui.Brief(p.now().Sub(s.started)))
		}
	case events.ObjectReady:
		p.stage(e.Stage).tally = e.Tally
	case events.StillWaiting:
		s := p.stage(e.Stage)
		s.tally = e.Tally
		s.waits.observe(e, p.now())
	case events.StageReady:
		s := p.stage(e.Stage)
		s.tally = e.Tally
		if !s.ready {
			s.ready = true
			if !s.changed && e.Took < time.Second {
				return // it was ready before: a run that changes nothing has nothing to say of it
			}
			p.change("%s: ready after %s, %s", s.name, ui.Brief(e.Took), text.Plural(s.tally.Total, "object"))
		}
	case events.Note:
		p.say("%s", e.Text)
	case events.ObjectPruned:
		p.say("%s removed: no longer wanted", e.Ref)
	case events.ObjectKept:
		p.say("%s kept: it is no longer wanted, but it may hold data", e.Ref)
	}
}

func (p *Install) stage(name string) *stage {
	for _, s := range p.stages {
		if s.name == name {
			return s
		}
	}
	s := &stage{name: name, started: p.now()}
	p.stages = append(p.stages, s)
	return s
}

// change is a line that only a pipe needs: a terminal shows it live.
func (p *Install) change(format string, args ...any) {
	if !p.screen.Live {
		p.say(format, args...)
	}
}

// say writes a line that stays.
func (p *Install) say(format string, args ...any) {
	p.region.Erase()
	p.screen.Say(format, args...)
	p.spoke = p.now()
}

// counted returns how many components and objects are ready, of how many.
func (p *Install) counted() (stages, allStages, objects, allObjects int) {
	for _, s := range p.stages {
		if objects += s.tally.Ready; s.ready {
			stages++
		}
	}
	return stages, len(p.stages), min(objects, p.objects), p.objects
}

// beat says, where nothing is drawn live, that the install goes on and what it waits for.
func (p *Install) beat() {
	var waiting []string
	for _, s := range p.stages {
		if line := s.waits.line(p.now()); !s.ready && line != "" {
			waiting = append(waiting, fmt.Sprintf("%s (%s)", s.name, ui.Clip(line, 160)))
		}
	}
	stages, allStages, objects, allObjects := p.counted()
	line := fmt.Sprintf("after %s: %d/%d components, %d/%d objects", ui.Brief(p.now().Sub(p.began)), stages, allStages, objects, allObjects)
	if len(waiting) > 0 {
		line += "; waiting for " + text.List(waiting, 3)
	}
	p.say("%s", strings.ReplaceAll(line, "\n", " "))
}
