package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// redraw draws the components that are under way, and how far all is, over what was drawn before.
func (p *Progress) redraw() {
	frame := p.wipe() // in one write with what comes in its place: it would flicker
	var lines []string
	hidden := 0
	for _, s := range p.stages {
		switch {
		case s.ready || s.started.IsZero():
		case len(lines) == mostLines:
			hidden++
		default:
			lines = append(lines, p.line(s))
		}
	}
	if hidden > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", hidden))
	}
	if len(lines) > 0 {
		lines = append(lines, p.total())
	}
	for _, line := range lines {
		frame += line + "\n"
		p.drawn = append(p.drawn, columns(line))
	}
	fmt.Fprint(p.screen.ErrOut, frame)
}

// total is how far the install is as a whole.
func (p *Progress) total() string {
	var sum events.Tally
	for _, s := range p.stages {
		sum.Ready, sum.Total = sum.Ready+s.tally.Ready, sum.Total+s.tally.Total
	}
	text := fmt.Sprintf("%d of %d objects ready after %s", sum.Ready, max(sum.Total, p.objects), Brief(p.now().Sub(p.began)))
	return "  " + p.screen.Paint(Dim, clip(text, p.screen.Width-3))
}

// line is one component under way: applied, ready, for how long, and what it waits for.
func (p *Progress) line(s *stageLine) string {
	turns := []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
	if !p.screen.Unicode {
		turns = []string{"|", "/", "-", `\`}
	}
	text := fmt.Sprintf("%s %3d/%-3d ready %6s  ", p.column(s.name), s.tally.Ready, s.tally.Total, Brief(p.now().Sub(s.started)))
	if s.tally.Applied < s.tally.Total {
		text += fmt.Sprintf("applied %d  ", s.tally.Applied)
	}
	return p.screen.Paint(Cyan, turns[p.turn%len(turns)]) + " " + clip(text+s.waits, p.screen.Width-3)
}

// column pads a component's name, so that the figures stand below each other.
func (p *Progress) column(name string) string {
	width := 0
	for _, s := range p.stages {
		width = max(width, columns(s.name))
	}
	width = min(width, 26)
	name = clip(name, width)
	return name + strings.Repeat(" ", width-columns(name))
}

// erase takes the live lines off again.
func (p *Progress) erase() { fmt.Fprint(p.screen.ErrOut, p.wipe()) }

// wipe returns what takes the live lines off. In a terminal that has become narrower, a line takes several rows.
func (p *Progress) wipe() string {
	p.screen.measure()
	rows := 0
	for _, length := range p.drawn {
		rows += max(1, (length+p.screen.Width-1)/p.screen.Width)
	}
	p.drawn = nil
	if rows == 0 {
		return ""
	}
	return escape.Over(rows)
}

// clip shortens a text to a number of columns, and to one line.
func clip(text string, width int) string {
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
