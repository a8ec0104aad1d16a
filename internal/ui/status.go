package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// StatusStyle says how much of an overview to draw.
type StatusStyle struct {
	Tree, Wide bool
	Now        time.Time
	Verbose    bool   // a line for each component that is ready, too
	Rows       int    // at most; 0 for all
	Next       string // what to type next
}

// states are how the states of things look: a sign and a word.
var states = map[status.State]mark{
	status.Ready:       {"✓", "+", "ready", Green},
	status.Unknown:     {"?", "?", "unknown", Yellow},
	status.Progressing: {"!", "!", "waiting", Yellow},
	status.Missing:     {"✗", "x", "missing", Red},
	status.Failing:     {"✗", "x", "failing", Red},
}

// badness orders states, the worst last.
var badness = map[status.State]int{status.Ready: 0, status.Unknown: 1, status.Progressing: 2, status.Missing: 3, status.Failing: 4}

// mostItems is how many objects of one component are named.
const mostItems = 5

// Status draws an overview.
func (s *Screen) Status(o *kubeflow.Overview, style StatusStyle) error {
	p := s.overview(o, style)
	if style.Rows > 0 && len(p.lines) > style.Rows && style.Verbose && !style.Tree {
		style.Verbose = false
		p = s.overview(o, style)
	}
	if style.Rows > 0 && len(p.lines) > style.Rows {
		hidden := len(p.lines) - style.Rows + 1
		p.lines = append(p.lines[:style.Rows-1], p.Paint(Dim, fmt.Sprintf("... %d more lines; enlarge the terminal to see them", hidden)))
	}
	return p.flush(s.Out)
}

func (s *Screen) overview(o *kubeflow.Overview, style StatusStyle) *page {
	p := &page{Screen: s}
	p.overviewHead(o, style.Now)
	p.line("")
	if style.Tree {
		p.tree(o)
	} else {
		p.components(o, style)
	}
	p.line("")
	p.around(o, style)
	p.line("")
	p.text(0, conclusion(o))
	if style.Next != "" {
		p.text(0, "Next: "+style.Next)
	}
	return p
}

func (p *page) overviewHead(o *kubeflow.Overview, now time.Time) {
	title := "Kubeflow (release not recognised)"
	if o.Release.Name != "" {
		title = "Kubeflow " + o.Release.Name
	} else if o.Release.From == "inventory" {
		title = cmp.Or(o.Name, "Kubeflow")
	}
	where := fmt.Sprintf("context %s (%s)", o.Context, o.Server)
	if o.Context == "" {
		where = o.Server
	}
	p.text(0, p.Paint(Bold, title)+" on "+where)
	if o.Upgrade != "" {
		p.text(0, fmt.Sprintf("Upgrade available: %s (kubectl kubeflow upgrade)", o.Upgrade))
	}
	if o.Name == "" {
		p.text(0, "Not installed by this plugin: recognised by its workloads, so only workloads are known.")
	}
	if o.Installed != nil {
		line := "Installed " + ago(now, *o.Installed)
		if o.Changed != nil && o.Changed.Sub(*o.Installed) > time.Minute {
			line += ", last changed " + ago(now, *o.Changed)
		}
		p.text(0, line+".")
	}
	if o.AtWork != nil {
		p.wrapped(p.warning()+" ", 2, fmt.Sprintf("%s is %s; it began %s.", o.AtWork.Who, cmp.Or(o.AtWork.Doing, "changing it"), ago(now, o.AtWork.Since)))
	}
}

// components draws one line for each component, and beneath it what is not ready and why.
func (p *page) components(o *kubeflow.Overview, style StatusStyle) {
	width := len("COMPONENT")
	for _, c := range o.Components {
		width = max(width, columns(c.Name))
	}
	if style.Verbose || style.Wide || !o.Ready {
		p.line(p.Paint(Bold, fmt.Sprintf("  %-*s   %-8s   %-9s   %s", width, "COMPONENT", "STATE", "WORKLOADS", "OBJECTS")))
	}
	var ready []string
	inOrder := slices.SortedStableFunc(slices.Values(o.Components), func(a, b status.Component) int { return badness[b.State] - badness[a.State] })
	for _, c := range inOrder {
		if !style.Verbose && !style.Wide && c.State == status.Ready {
			ready = append(ready, c.Name)
			continue
		}
		m := states[c.State]
		p.line(fmt.Sprintf("%s %-*s   %s   %-9s   %s", p.Paint(m.style, p.Sign(m.sign, m.ascii)), width, c.Name,
			p.Paint(m.style, fmt.Sprintf("%-8s", m.word)), fraction(c.Workloads), fraction(c.Objects)))
		p.troubles(c, style)
	}
	if len(ready) > 0 {
		p.wrapped(p.ok()+" ", 2, text.Plural(len(ready), "component")+" ready: "+strings.Join(ready, ", ")+" (-v)")
	}
}

func (p *page) troubles(c status.Component, style StatusStyle) {
	shown := 0
	for _, item := range worstFirst(c.Items) {
		if item.State == status.Unknown && !style.Wide {
			continue
		}
		if shown == mostItems && !style.Wide {
			p.text(4, p.Paint(Dim, "and more: kubectl kubeflow status -o wide"))
			break
		}
		shown++
		p.wrapped("    ", 6, about(item))
	}
}

// about says how an object is: "Deployment kubeflow/mysql 0/1: pulling image mysql:8".
func about(item status.Object) string {
	name := item.Ref.Name
	if item.Ref.Namespace != "" {
		name = item.Ref.Namespace + "/" + name
	}
	if item.Why != "" && item.Why[0] >= '0' && item.Why[0] <= '9' {
		return item.Ref.Kind + " " + name + " " + item.Why
	}
	return strings.TrimSuffix(item.Ref.Kind+" "+name+": "+item.Why, ": ")
}
