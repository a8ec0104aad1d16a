package progress

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
)

const (
	mostLines = 8  // of components: small terminals have 24 rows
	barWidth  = 18 // of the bar
)

// lines are the bar and the components under way, those that have been waiting for long first.
func (p *Install) lines() []string {
	var working []*stage
	for _, s := range p.stages {
		if !s.ready && !s.started.IsZero() {
			working = append(working, s)
		}
	}
	slices.SortStableFunc(working, func(a, b *stage) int { return rank(a, p.now()) - rank(b, p.now()) })
	lines := []string{p.bar()}
	for i, s := range working {
		if i == mostLines {
			lines = append(lines, fmt.Sprintf("   and %d more components", len(working)-i))
			break
		}
		lines = append(lines, p.line(s))
	}
	return lines
}

func rank(s *stage, now time.Time) int {
	switch {
	case s.waits.stuck(now):
		return 0
	case s.waits.since.IsZero():
		return 2
	}
	return 1
}

// bar is how far the install is as a whole.
func (p *Install) bar() string {
	stages, allStages, objects, allObjects := p.counted()
	filled := barWidth * objects / max(allObjects, 1)
	took := p.now().Sub(p.began)
	counts := fmt.Sprintf("%d/%d components   %d/%d objects   %d:%02d", stages, allStages, objects, allObjects, int(took.Minutes()), int(took.Seconds())%60)
	if p.screen.Width < barWidth+len(counts)+8 { // the figures matter more
		return ui.Clip(" "+counts, p.screen.Width-1)
	}
	return " [" + p.screen.Paint(ui.Green, strings.Repeat("#", filled)) + strings.Repeat("-", barWidth-filled) + "] " + counts
}

// line is one component under way: how far it is, and what it waits for.
func (p *Install) line(s *stage) string {
	sign := p.screen.Spinner(p.turn)
	if s.waits.stuck(p.now()) {
		sign = p.screen.Warning()
	}
	line := fmt.Sprintf("%s %3d/%-3d  %s", p.column(s.name), s.tally.Ready, s.tally.Total, s.waits.line(p.now()))
	return " " + sign + " " + ui.Clip(line, p.screen.Width-4)
}

// column pads a component's name, so that the figures stand below each other.
func (p *Install) column(name string) string {
	width := 0
	for _, s := range p.stages {
		width = max(width, ui.Columns(s.name))
	}
	width = min(width, 20)
	name = ui.Clip(name, width)
	return name + strings.Repeat(" ", width-ui.Columns(name))
}
