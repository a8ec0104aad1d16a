package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// A Region is a few lines at the end of a terminal that are drawn again in place. It is not safe for several goroutines.
type Region struct {
	screen *Screen
	drawn  []int // how many columns each line on the screen takes
}

// NewRegion returns an empty region on the screen's error stream.
func NewRegion(screen *Screen) *Region { return &Region{screen: screen} }

// Draw puts lines over those that were drawn before, in one write: otherwise it would flicker.
func (r *Region) Draw(lines []string) {
	frame := r.wipe()
	for _, line := range lines {
		frame += line + "\n"
		r.drawn = append(r.drawn, columns(line))
	}
	if frame != "" {
		fmt.Fprint(r.screen.ErrOut, frame)
	}
}

// Erase takes the lines off again.
func (r *Region) Erase() { r.Draw(nil) }

// wipe returns what takes the lines off. In a terminal that has become narrower, a line takes several rows.
func (r *Region) wipe() string {
	r.screen.measure()
	rows := 0
	for _, length := range r.drawn {
		rows += max(1, (length+r.screen.Width-1)/r.screen.Width)
	}
	r.drawn = nil
	if rows == 0 {
		return ""
	}
	return escape.Over(rows)
}

// Spinner returns a sign that turns.
func (s *Screen) Spinner(turn int) string {
	turns := []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
	if !s.Unicode {
		turns = []string{"|", "/", "-", `\`}
	}
	return s.Paint(Cyan, turns[turn%len(turns)])
}

// Warning returns the sign before what needs attention.
func (s *Screen) Warning() string { return s.warning() }

// Columns returns how wide a text is on a screen: Chinese letters take two columns.
func Columns(text string) int { return columns(text) }

// Clip shortens a text to a number of columns, and to one line.
func Clip(text string, width int) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if width > 1 {
		text = letters.Truncate(text, width, "...")
	}
	return text
}

// Brief writes a duration as people say it: 0.4s, 12s, 1m05s.
func Brief(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	}
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}
