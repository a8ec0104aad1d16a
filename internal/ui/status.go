package ui

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
)

// An Overview is what status shows, and its document.
type Overview struct {
	APIVersion      string              `json:"apiVersion"`
	Kind            string              `json:"kind"`
	Context         string              `json:"context,omitempty"`
	Server          string              `json:"server"`
	Kubernetes      string              `json:"kubernetes,omitempty"`
	Release         doctor.KnownRelease `json:"release"`
	*install.Status                     // nil when it could not be looked at
	Dashboard       Dashboard           `json:"dashboard"`
	Nodes           []install.Pool      `json:"nodes"`
	AtWork          *install.Holder     `json:"atWork,omitempty"`  // who changes it now
	LastFix         *LastFix            `json:"lastFix,omitempty"` // the last doctor --fix
	Others          []string            `json:"otherInstallations,omitempty"`
	Error           string              `json:"error,omitempty"`
}

// A Dashboard says where the dashboard is.
type Dashboard struct {
	URL       string            `json:"url,omitempty"`
	Endpoints []expose.Endpoint `json:"endpoints"`
	Why       string            `json:"why,omitempty"` // why nothing is known of it
}

// A LastFix is what is left of a doctor --fix.
type LastFix struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Changes int       `json:"changes"`
	State   string    `json:"state"` // done, undone or interrupted
}

// StatusStyle says how much of an overview to draw.
type StatusStyle struct {
	Tree, Wide bool
	Now        time.Time
	Rows       int    // at most; 0 for all
	Next       string // what to type next

	brief bool // one line for all that is ready
}

// states are how the states of things look: a sign and a word.
var states = map[install.State]mark{
	install.Ready:       {"✓", "+", "ready", Green},
	install.Unseen:      {"?", "?", "unknown", Yellow},
	install.Progressing: {"!", "!", "waiting", Yellow},
	install.Missing:     {"✗", "x", "missing", Red},
	install.Failing:     {"✗", "x", "failing", Red},
}

// mostItems is how many objects of one component are named.
const mostItems = 5

// Status draws an overview.
func (s *Screen) Status(o *Overview, style StatusStyle) error {
	p := s.overview(o, style)
	if style.Rows > 0 && len(p.lines) > style.Rows && !style.Tree {
		style.brief = true
		p = s.overview(o, style)
	}
	if style.Rows > 0 && len(p.lines) > style.Rows {
		hidden := len(p.lines) - style.Rows + 1
		p.lines = append(p.lines[:style.Rows-1], p.Paint(Dim, fmt.Sprintf("… %d more lines; this screen is too small", hidden)))
	}
	return p.flush(s.Out)
}

func (s *Screen) overview(o *Overview, style StatusStyle) *page {
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

func (p *page) overviewHead(o *Overview, now time.Time) {
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
	if o.Name == "" {
		p.text(0, "Not installed by this program: recognised by what runs, so only workloads are known.")
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
func (p *page) components(o *Overview, style StatusStyle) {
	width := len("COMPONENT")
	for _, c := range o.Components {
		width = max(width, utf8.RuneCountInString(c.Name))
	}
	p.line(p.Paint(Bold, fmt.Sprintf("  %-*s   %-8s   %-9s   %s", width, "COMPONENT", "STATE", "WORKLOADS", "OBJECTS")))
	var well []string
	for _, c := range o.Components {
		if style.brief && c.State == install.Ready {
			well = append(well, c.Name)
			continue
		}
		m := states[c.State]
		p.line(fmt.Sprintf("%s %-*s   %s   %-9s   %s", p.Paint(m.style, p.Sign(m.sign, m.ascii)), width, c.Name,
			p.Paint(m.style, fmt.Sprintf("%-8s", m.word)), fraction(c.Workloads), fraction(c.Objects)))
		p.troubles(c, style)
	}
	if len(well) > 0 {
		p.wrapped(p.ok()+" ", 2, plural(len(well), "component")+" ready: "+strings.Join(well, ", "))
	}
}

func (p *page) troubles(c install.ComponentStatus, style StatusStyle) {
	shown := 0
	for _, item := range worstFirst(c.Items) {
		if item.State == install.Unseen && !style.Wide {
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
func about(item install.ObjectStatus) string {
	name := item.Ref.Name
	if item.Ref.Namespace != "" {
		name = item.Ref.Namespace + "/" + name
	}
	if item.Why != "" && item.Why[0] >= '0' && item.Why[0] <= '9' {
		return item.Ref.Kind + " " + name + " " + item.Why
	}
	return strings.TrimSuffix(item.Ref.Kind+" "+name+": "+item.Why, ": ")
}

// around draws what is around Kubeflow: its address, the nodes, what was done to it.
func (p *page) around(o *Overview, style StatusStyle) {
	fact := func(name, text string) { p.wrapped(p.Paint(Bold, fmt.Sprintf("%-9s  ", name)), 11, text) }
	fact("Dashboard", address(o.Dashboard))
	if style.Wide {
		for _, e := range o.Dashboard.Endpoints {
			fact("", fmt.Sprintf("%s %s/%s %s", e.Via, e.About.Namespace, e.About.Name, cmp.Or(e.URL, "reachable "+reaches[e.Reach])))
		}
	}
	for i, pool := range o.Nodes {
		if i == mostItems && !style.Wide {
			fact("", fmt.Sprintf("and %d more kinds of nodes", len(o.Nodes)-i))
			break
		}
		name := map[bool]string{true: "Nodes", false: ""}[i == 0]
		ready := plural(pool.Nodes.Total, "node")
		if pool.Nodes.Ready < pool.Nodes.Total {
			ready = fmt.Sprintf("%d of %s ready", pool.Nodes.Ready, ready)
		}
		if pool.Name != "" {
			ready += " in pool " + pool.Name
		}
		fact(name, fmt.Sprintf("%s: Kubernetes %s, %s, %s", ready, pool.Kubernetes, pool.Runtime, pool.OSImage))
	}
	if len(o.Nodes) == 0 && o.Kubernetes != "" {
		fact("Server", "Kubernetes "+o.Kubernetes)
	}
	if f := o.LastFix; f != nil {
		text := fmt.Sprintf("doctor --fix %s, %s", ago(style.Now, f.Started), plural(f.Changes, "change"))
		switch f.State {
		case "undone":
			text += ", undone since"
		case "interrupted":
			text += ", interrupted: the next --fix goes on with it"
		default:
			text += "; to take it back: kubectl kubeflow doctor --undo=" + f.Run
		}
		fact("Last fix", text)
	}
	if n := len(o.Unread); n > 0 {
		kinds := strings.Join(o.Unread, ", ")
		if !style.Wide && n > mostItems {
			kinds = fmt.Sprintf("%s and %d more kinds", strings.Join(o.Unread[:mostItems], ", "), n-mostItems)
		}
		fact("Unknown", fmt.Sprintf("%s, for want of permission to list %s", plural(o.Objects.Unknown, "object"), kinds))
	}
	if len(o.Others) > 0 {
		fact("Also here", strings.Join(o.Others, ", ")+" (status --name NAME shows one)")
	}
}

func address(d Dashboard) string {
	for _, e := range d.Endpoints {
		switch {
		case e.URL != "" && e.URL == d.URL:
			return fmt.Sprintf("%s %s", e.URL, reaches[e.Reach])
		case e.URL == "" && e.Via == "LoadBalancer" && d.URL == "":
			return fmt.Sprintf("no address yet for Service %s/%s", e.About.Namespace, e.About.Name)
		}
	}
	if d.Why != "" {
		return "unknown: " + d.Why
	}
	return "only from inside the cluster; to open it: kubectl kubeflow expose"
}

// conclusion is the last sentence.
func conclusion(o *Overview) string {
	bad := 0
	for _, c := range o.Components {
		if c.State != install.Ready {
			bad++
		}
	}
	what := fmt.Sprintf("%d of %s", o.Objects.Unready(), plural(o.Objects.Total, "object"))
	switch {
	case o.Ready:
		return fmt.Sprintf("Ready: %s, %s, %s.", plural(len(o.Components), "component"), plural(o.Workloads.Total, "workload"), plural(o.Objects.Total, "object"))
	case o.Blind():
		return fmt.Sprintf("Unknown: %d of %s could not be looked at.", bad, plural(len(o.Components), "component"))
	}
	return fmt.Sprintf("Not ready: %d of %s, %s.", bad, plural(len(o.Components), "component"), what)
}

// fraction is how many of those that could be looked at are ready.
func fraction(c install.Readiness) string {
	if c.Total == c.Unknown {
		return "-"
	}
	return fmt.Sprintf("%d/%d", c.Ready, c.Total-c.Unknown)
}

// ago says how long something is past.
func ago(now, then time.Time) string {
	switch d := now.Sub(then); {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", max(int(d.Seconds()), 0))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}
