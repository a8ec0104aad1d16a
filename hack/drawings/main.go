// Command drawings writes the diagrams of the documentation to docs/pictures: go run ./hack/drawings
//
// A diagram is a table of boxes on a grid and the arrows between them.
package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
)

// A box is one thing at a place of the grid, some columns wide and rows high; a frame is drawn beneath others and labelled at its top.
type box struct {
	id              string
	x, y, w, h      float64
	title, subtitle string
	frame           bool
}

// An arrow leads from one box to another.
type arrow struct{ from, to, label string }

type diagram struct {
	name, title, about string
	columns, rows      float64
	boxes              []box
	arrows             []arrow
}

const (
	column = 110.0
	row    = 40.0
)

var diagrams = []diagram{
	{
		name: "architecture", title: "Kubeflow on AKS", about: "A browser reaches the Istio ingress gateway through an Azure load balancer; the gateway asks oauth2-proxy and dex who the user is, and routes to the dashboard, the notebooks, Pipelines, Katib and KServe; data is on Azure disks.",
		columns: 8, rows: 12.5,
		boxes: []box{
			{id: "aks", x: 1.45, y: .2, w: 6.4, h: 12, title: "AKS cluster", frame: true},
			{id: "browser", x: .1, y: 2.2, w: 1.1, h: 1.6, title: "Browser"},
			{id: "kubectl", x: .1, y: 9.2, w: 1.1, h: 1.6, title: "kubectl", subtitle: "kubeflow"},
			{id: "lb", x: 1.65, y: 2.2, w: 1.3, h: 1.6, title: "Load balancer", subtitle: "kubeflowdashboard-lb"},
			{id: "gateway", x: 3.35, y: 2.2, w: 1.3, h: 1.6, title: "Istio gateway", subtitle: "istio-system"},
			{id: "proxy", x: 3.35, y: 5, w: 1.3, h: 1.6, title: "oauth2-proxy"},
			{id: "dex", x: 3.35, y: 7.4, w: 1.3, h: 1.6, title: "dex", subtitle: "users, Entra ID"},
			{id: "kubeflow", x: 5.05, y: .9, w: 2.6, h: 5.9, title: "namespace kubeflow", frame: true},
			{id: "dashboard", x: 5.2, y: 1.9, w: 1.1, h: 1.2, title: "Dashboard"},
			{id: "pipelines", x: 5.2, y: 3.5, w: 1.1, h: 1.2, title: "Pipelines", subtitle: "Argo, MySQL"},
			{id: "katib", x: 5.2, y: 5.1, w: 1.1, h: 1.2, title: "Katib", subtitle: "MySQL"},
			{id: "training", x: 6.4, y: 1.9, w: 1.1, h: 1.2, title: "Training", subtitle: "operators"},
			{id: "kserve", x: 6.4, y: 3.5, w: 1.1, h: 1.2, title: "KServe", subtitle: "Knative"},
			{id: "profiles", x: 6.4, y: 5.1, w: 1.1, h: 1.2, title: "Profiles"},
			{id: "user", x: 5.05, y: 7.2, w: 2.6, h: 2, title: "profile namespaces", subtitle: "notebooks, runs, models, volumes"},
			{id: "disks", x: 5.05, y: 10.1, w: 2.6, h: 1.4, title: "Azure disks and files", subtitle: "PersistentVolumes"},
			{id: "api", x: 1.65, y: 9.2, w: 1.3, h: 1.6, title: "API server"},
		},
		arrows: []arrow{{"browser", "lb", ""}, {"lb", "gateway", ""}, {"gateway", "kubeflow", ""}, {"gateway", "proxy", ""}, {"proxy", "dex", ""}, {"kubeflow", "user", ""}, {"user", "disks", ""}, {"kubectl", "api", ""}},
	},
	{
		name: "commands", title: "What the commands do", about: "install renders a release, patches it for AKS, shows the plan and applies it; doctor reads the cluster, reports findings and fixes them; expose reads how the dashboard is reached and creates an address; verify uses Kubeflow as a person would.",
		columns: 8, rows: 10.3,
		boxes: []box{
			{id: "install", x: .1, y: .4, w: 1.3, h: 1.6, title: "install", subtitle: "upgrade, diff"},
			{id: "render", x: 1.8, y: .4, w: 1.3, h: 1.6, title: "render", subtitle: "pinned archives"},
			{id: "patch", x: 3.4, y: .4, w: 1.3, h: 1.6, title: "patch for AKS", subtitle: "the doctor's checks"},
			{id: "plan", x: 5, y: .4, w: 1.1, h: 1.6, title: "plan", subtitle: "preflight, ask"},
			{id: "doctor", x: .1, y: 2.9, w: 1.3, h: 1.6, title: "doctor", subtitle: "--fix, --undo"},
			{id: "checks", x: 1.8, y: 2.9, w: 1.3, h: 1.6, title: "checks", subtitle: "read only"},
			{id: "findings", x: 3.4, y: 2.9, w: 1.3, h: 1.6, title: "findings", subtitle: "cause, fix, diff"},
			{id: "fix", x: 5, y: 2.9, w: 1.1, h: 1.6, title: "fix", subtitle: "ask, record"},
			{id: "expose", x: .1, y: 5.4, w: 1.3, h: 1.6, title: "expose", subtitle: "dashboard"},
			{id: "model", x: 1.8, y: 5.4, w: 1.3, h: 1.6, title: "exposure", subtitle: "authentication proven?"},
			{id: "refuse", x: 3.4, y: 5.4, w: 1.3, h: 1.6, title: "decide", subtitle: "refuse what is open"},
			{id: "address", x: 5, y: 5.4, w: 1.1, h: 1.6, title: "address", subtitle: "HTTPS, ask"},
			{id: "verify", x: .1, y: 7.9, w: 1.3, h: 1.6, title: "verify", subtitle: "status, logs"},
			{id: "tests", x: 1.8, y: 7.9, w: 1.3, h: 1.6, title: "smoke tests", subtitle: "login, notebook, ..."},
			{id: "evidence", x: 3.4, y: 7.9, w: 1.3, h: 1.6, title: "evidence", subtitle: "then removed"},
			{id: "cluster", x: 6.6, y: .4, w: 1.25, h: 9.1, title: "AKS cluster", subtitle: "API server"},
		},
		arrows: []arrow{{"install", "render", ""}, {"render", "patch", ""}, {"patch", "plan", ""}, {"plan", "cluster", ""}, {"doctor", "checks", ""}, {"checks", "findings", ""}, {"findings", "fix", ""}, {"fix", "cluster", ""},
			{"expose", "model", ""}, {"model", "refuse", ""}, {"refuse", "address", ""}, {"address", "cluster", ""}, {"verify", "tests", ""}, {"tests", "evidence", ""}, {"evidence", "cluster", ""}},
	},
}

func main() {
	for _, d := range diagrams {
		if err := os.WriteFile(filepath.Join("docs", "pictures", d.name+".svg"), []byte(d.draw()), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
}

func (d diagram) draw() string {
	var out strings.Builder
	width, height := d.columns*column, d.rows*row
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-label="%s" font-family="Segoe UI, Helvetica, Arial, sans-serif">`+"\n", width, height, width, height, html.EscapeString(d.title+". "+d.about))
	fmt.Fprintln(&out, `<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#57606a"/></marker></defs>`)
	fmt.Fprintf(&out, `<rect width="%g" height="%g" fill="#ffffff"/>`+"\n", width, height)
	for _, frames := range []bool{true, false} {
		for _, b := range d.boxes {
			if b.frame == frames {
				b.draw(&out)
			}
		}
	}
	for _, a := range d.arrows {
		from, to := d.find(a.from), d.find(a.to)
		x1, y1, x2, y2 := between(from, to)
		fmt.Fprintf(&out, `<line x1="%g" y1="%g" x2="%g" y2="%g" stroke="#57606a" stroke-width="1.5" marker-end="url(#head)"/>`+"\n", x1, y1, x2, y2)
	}
	out.WriteString("</svg>\n")
	return out.String()
}

func (d diagram) find(id string) box {
	for _, b := range d.boxes {
		if b.id == id {
			return b
		}
	}
	panic("no box " + id)
}

func (b box) draw(out *strings.Builder) {
	fill, stroke, middle := "#ddf4ff", "#0969da", (b.y+b.h/2)*row
	if b.frame {
		fill, stroke, middle = "#f6f8fa", "#8c959f", b.y*row+16
	}
	fmt.Fprintf(out, `<rect x="%g" y="%g" width="%g" height="%g" rx="6" fill="%s" stroke="%s"/>`+"\n", b.x*column, b.y*row, b.w*column, b.h*row, fill, stroke)
	if b.subtitle != "" {
		fmt.Fprintf(out, `<text x="%g" y="%g" font-size="11" fill="#57606a" text-anchor="middle">%s</text>`+"\n", (b.x+b.w/2)*column, middle+14, html.EscapeString(b.subtitle))
		middle -= 4
	}
	fmt.Fprintf(out, `<text x="%g" y="%g" font-size="14" font-weight="600" fill="#1f2328" text-anchor="middle">%s</text>`+"\n", (b.x+b.w/2)*column, middle+4, html.EscapeString(b.title))
}

// between returns where an arrow leaves one box and reaches another: straight, on the side that faces it.
func between(a, b box) (x1, y1, x2, y2 float64) {
	if a.x+a.w <= b.x {
		y := max(a.y, b.y) + (min(a.y+a.h, b.y+b.h)-max(a.y, b.y))/2
		return (a.x + a.w) * column, y * row, b.x * column, y * row
	}
	x := max(a.x, b.x) + (min(a.x+a.w, b.x+b.w)-max(a.x, b.x))/2
	return x * column, (a.y + a.h) * row, x * column, b.y * row
}
