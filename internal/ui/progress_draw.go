package ui

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// redraw draws the components that are under way over what was drawn before.
func (p *Progress) redraw() {
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
	p.erase()
	for _, line := range lines {
		fmt.Fprintln(p.screen.ErrOut, line)
	}
	p.drawn = len(lines)
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
		width = max(width, utf8.RuneCountInString(s.name))
	}
	width = min(width, 26)
	name = clip(name, width)
	return name + strings.Repeat(" ", width-utf8.RuneCountInString(name))
}

// erase takes the live lines off again.
func (p *Progress) erase() {
	if p.drawn > 0 {
		fmt.Fprintf(p.screen.ErrOut, "\x1b[%dA\x1b[J", p.drawn)
		p.drawn = 0
	}
}

// clip shortens a text to a number of columns, and to one line.
func clip(text string, width int) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if runes := []rune(text); len(runes) > width && width > 1 {
		return string(runes[:width-1]) + "…"
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
