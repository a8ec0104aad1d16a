package progress

import (
	"fmt"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// An Uninstall shows how an uninstall goes on: one line for each wave that is gone, and on a terminal a live one for the
// wave that is going, which is drawn again while nothing happens. Anything else than a terminal gets a heartbeat.
type Uninstall struct {
	screen *ui.Screen
	now    func() time.Time

	mu    sync.Mutex
	wave  string
	total int
	left  int
	waits string
	began time.Time // of the wave
	spoke time.Time
	turn  int

	region *ui.Region
	closed chan struct{}
	done   sync.WaitGroup
}

// NewUninstall starts to draw. Close ends it.
func NewUninstall(screen *ui.Screen, now func() time.Time) *Uninstall {
	r := &Uninstall{screen: screen, region: ui.NewRegion(screen), now: now, spoke: now(), closed: make(chan struct{})}
	if screen.Live {
		r.done.Go(r.tick)
	}
	return r
}

func (r *Uninstall) tick() {
	clock := time.NewTicker(frame)
	defer clock.Stop()
	for {
		select {
		case <-r.closed:
			return
		case <-clock.C:
			r.mu.Lock()
			r.turn++
			r.draw()
			r.mu.Unlock()
		}
	}
}

// Close takes the live line off the screen.
func (r *Uninstall) Close() {
	close(r.closed)
	r.done.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.region.Erase()
}

// Observe takes in one event of an uninstall.
func (r *Uninstall) Observe(event events.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case events.Note:
		r.say("%s", e.Text)
	case events.WaveStarted:
		r.wave, r.total, r.left, r.waits, r.began = e.Wave, e.Total, e.Total, "", r.now()
	case events.ObjectGone:
		r.left = e.Left
	case events.StillThere:
		r.waits = fmt.Sprintf("%s: %s", e.Ref, e.Why)
		if !r.screen.Live && r.now().Sub(r.spoke) >= heartbeat {
			r.say("%s: %d of %d gone after %s, waiting for %s", r.wave, r.total-r.left, r.total, ui.Brief(r.now().Sub(r.began)), r.waits)
		}
	case events.WaveDone:
		r.wave = ""
		r.say("%s %-21s %4d gone  %6s", r.screen.Done(), e.Wave, e.Total, ui.Brief(e.Took))
	}
}

func (r *Uninstall) say(format string, args ...any) {
	r.region.Erase()
	r.screen.Say(format, args...)
	r.spoke = r.now()
}

// draw draws the wave that is going over what was drawn before.
func (r *Uninstall) draw() {
	if r.wave == "" {
		return
	}
	line := fmt.Sprintf("%-21s %4d of %d gone  %6s  %s", r.wave, r.total-r.left, r.total, ui.Brief(r.now().Sub(r.began)), r.waits)
	r.region.Draw([]string{r.screen.Spinner(r.turn) + " " + ui.Clip(line, r.screen.Width-3)})
}
