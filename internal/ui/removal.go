package ui

import (
	"fmt"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// A Removal shows how an uninstall goes on: one line for each wave that is gone, and on a terminal a live one for the
// wave that is going. Anything else than a terminal hears a heartbeat.
type Removal struct {
	screen *Screen
	now    func() time.Time

	mu    sync.Mutex
	wave  string
	total int
	left  int
	waits string
	began time.Time // of the wave
	spoke time.Time
	drawn bool
	turn  int
}

// NewRemoval starts to draw. Close ends it.
func NewRemoval(screen *Screen, now func() time.Time) *Removal {
	return &Removal{screen: screen, now: now, spoke: now()}
}

// Close takes the live line off the screen.
func (r *Removal) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
}

// Observe takes in one event of an uninstall.
func (r *Removal) Observe(event events.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case events.Note:
		r.say("%s", e.Text)
	case events.WaveStarted:
		r.wave, r.total, r.left, r.waits, r.began = e.Wave, e.Total, e.Total, "", r.now()
		r.draw()
	case events.ObjectGone:
		r.left = e.Left
		r.draw()
	case events.StillThere:
		r.waits = fmt.Sprintf("%s: %s", e.Ref, e.Why)
		r.turn++
		if r.screen.Live {
			r.draw()
		} else if r.now().Sub(r.spoke) >= heartbeat {
			r.say("%s: %d of %d gone after %s, waiting for %s", r.wave, r.total-r.left, r.total, Brief(r.now().Sub(r.began)), r.waits)
		}
	case events.WaveDone:
		r.say("%s %-21s %4d gone  %6s", r.screen.Done(), e.Wave, e.Total, Brief(e.Took))
	}
}

func (r *Removal) say(format string, args ...any) {
	r.erase()
	r.screen.Say(format, args...)
	r.spoke = r.now()
}

// draw draws the wave that is going over what was drawn before.
func (r *Removal) draw() {
	if !r.screen.Live {
		return
	}
	r.erase()
	line := fmt.Sprintf("%-21s %4d of %d gone  %6s  %s", r.wave, r.total-r.left, r.total, Brief(r.now().Sub(r.began)), r.waits)
	fmt.Fprintln(r.screen.ErrOut, r.screen.Paint(Cyan, spinner(r.screen, r.turn))+" "+clip(line, r.screen.Width-3))
	r.drawn = true
}

func (r *Removal) erase() {
	if r.drawn {
		fmt.Fprint(r.screen.ErrOut, escape.Over(1))
		r.drawn = false
	}
}

func spinner(screen *Screen, turn int) string {
	turns := []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
	if !screen.Unicode {
		turns = []string{"|", "/", "-", `\`}
	}
	return turns[turn%len(turns)]
}
