package ui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// around draws what is around Kubeflow: its address, the nodes, what was done to it.
func (p *page) around(o *kubeflow.Overview, style StatusStyle) {
	fact := func(name, text string) { p.wrapped(p.Paint(Bold, fmt.Sprintf("%-9s  ", name)), 11, text) }
	fact("Dashboard", address(o.Dashboard))
	if why := o.Dashboard.Unprotected; why != "" {
		fact("", p.bad()+" It is public, and authentication is not proven: "+why+". To find the cause: kubectl kubeflow doctor exposure")
	}
	if style.Wide {
		for _, e := range o.Dashboard.Endpoints {
			fact("", fmt.Sprintf("%s %s/%s %s", e.Via, e.About.Namespace, e.About.Name, cmp.Or(e.URL, "reachable "+reaches[e.Reach])))
		}
	}
	for i, pool := range o.Nodes {
		if i == mostItems && !style.Wide {
			fact("", fmt.Sprintf("and %d more node pools", len(o.Nodes)-i))
			break
		}
		name := ""
		if i == 0 {
			name = "Nodes"
		}
		ready := text.Plural(pool.Nodes.Total, "node")
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
		text := fmt.Sprintf("doctor --fix %s, %s", ago(style.Now, f.Started), text.Plural(f.Changes, "change"))
		switch f.State {
		case "undone":
			text += ", undone since"
		case "interrupted":
			text += ", interrupted; the next --fix resumes it"
		default:
			text += "; undo with: kubectl kubeflow doctor --undo=" + escape.Word(f.Run)
		}
		fact("Last fix", text)
	}
	if n := len(o.Unread); n > 0 {
		most := mostItems
		if style.Wide {
			most = n
		}
		kinds := text.List(o.Unread, most)
		fact("Unknown", fmt.Sprintf("%s: missing permission to list %s", text.Plural(o.Objects.Unknown, "object"), kinds))
	}
	if n := o.Interrupted; n > 0 {
		fact("Install", p.bad()+" It was interrupted: "+text.Plural(n, "object")+" not applied")
	}
	p.drift(o, style)
	for _, warning := range o.Warnings {
		fact("Warning", warning)
	}
	if len(o.Others) > 0 {
		fact("Also here", strings.Join(o.Others, ", ")+" (status --name NAME shows one)")
	}
}

// drift draws what others have changed since it was installed.
func (p *page) drift(o *kubeflow.Overview, style StatusStyle) {
	if len(o.Drift) == 0 {
		return
	}
	most := mostItems
	if style.Wide {
		most = len(o.Drift)
	}
	p.wrapped(p.Paint(Bold, fmt.Sprintf("%-9s  ", "Drift")), 11, text.Plural(len(o.Drift), "object")+" changed by other clients since the install")
	for i, d := range o.Drift {
		if i == most {
			p.text(11, p.Paint(Dim, fmt.Sprintf("and %d more: kubectl kubeflow status -o wide", len(o.Drift)-i)))
			break
		}
		p.wrapped(strings.Repeat(" ", 11), 13, about(status.Object{Ref: d.Ref, Why: text.List(d.Fields, most)}))
	}
}

func address(d kubeflow.Dashboard) string {
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
func conclusion(o *kubeflow.Overview) string {
	bad := 0
	for _, c := range o.Components {
		if c.State != status.Ready {
			bad++
		}
	}
	what := fmt.Sprintf("%d of %s", o.Objects.Unready(), text.Plural(o.Objects.Total, "object"))
	switch {
	case o.Ready:
		return fmt.Sprintf("Ready: %s, %s, %s.", text.Plural(len(o.Components), "component"), text.Plural(o.Workloads.Total, "workload"), text.Plural(o.Objects.Total, "object"))
	case bad == 0:
		return fmt.Sprintf("Not ready: the install was interrupted, %s not applied.", text.Plural(o.Interrupted, "object"))
	case o.Inconclusive():
		return fmt.Sprintf("Unknown: %d of %s could not be read.", bad, text.Plural(len(o.Components), "component"))
	}
	return fmt.Sprintf("Not ready: %d of %s, %s.", bad, text.Plural(len(o.Components), "component"), what)
}

// fraction is how many of those that could be looked at are ready.
func fraction(c status.Readiness) string {
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
