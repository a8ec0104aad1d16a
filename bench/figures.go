package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// figures are the measurements of each thing, in seconds unless its name says otherwise.
type figures map[string][]float64

func (f figures) add(name string, value float64) { f[name] = append(f[name], value) }

func (f figures) median(name string) float64 {
	sorted := slices.Sorted(slices.Values(f[name]))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// ratio is the median of the rounds' own ratios, for the sides of a round suffer alike from what else a machine does;
// of things that are not measured once in each round, the ratio of the medians.
func (f figures) ratio(ours, theirs string) float64 {
	if len(f[ours]) != len(f[theirs]) {
		return f.median(ours) / f.median(theirs)
	}
	each := figures{}
	for i, value := range f[ours] {
		each.add("ratio", value/f[theirs][i])
	}
	return each.median("ratio")
}

// A ratio is one goal: what is divided by what, and how much it may be.
type ratio struct {
	what, ours, theirs string
	goal               float64
}

var goals = []ratio{
	{"install, apply part, against the loop", "install first: applied", "loop first", 0.20},
	{"install, apply part, against the floor (same objects, no webhooks)", "bare install first", "floor first", 1.3},
	{"render against kubectl kustomize", "install first: render", "kubectl kustomize", 0.5},
	{"install again, nothing changed, against the loop's second time", "install again", "loop again", 0.20},
	{"ready, with images that take 20 to 45 s, against the longest chain of gates", "slow install: ready", "slow install: longest chain", 1.15},
	{"from the command to ready, with images that take 5 s, against the loop", "quick install", "quick loop", 0.5},
	{"doctor in a crowd, requests but for pages, against doctor alone", "doctor in a crowd: requests but for pages, counted", "doctor alone: requests but for pages, counted", 1},
	{"doctor in a crowd, against kubectl get pods -A -o json", "doctor in a crowd", "kubectl get pods -A -o json", 0.5},
	{"doctor in a crowd, memory against 200 MB", "doctor in a crowd: MB", "limit: MB", 1},
}

func (f figures) report(rounds int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# Install against the official loop, and doctor on a large cluster\n\nMade by `make bench` on %s: Kubeflow 26.03 on the sandbox's Kubernetes 1.35, %d CPUs, medians of %d rounds in which the sides take turns; a goal's figure is the median of the rounds' own ratios.\n\n",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), rounds)
	out.WriteString("| goal | figure | at most | |\n|---|---|---|---|\n")
	for _, g := range goals {
		if len(f[g.ours]) == 0 || len(f[g.theirs]) == 0 {
			continue
		}
		got := f.ratio(g.ours, g.theirs)
		verdict := map[bool]string{true: "met", false: "**not met**"}[got <= g.goal]
		fmt.Fprintf(&out, "| %s | %.3f | %.2f | %s |\n", g.what, got, g.goal, verdict)
	}
	out.WriteString(f.otherWay())
	out.WriteString("\n| measured | median | all |\n|---|---|---|\n")
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		unit := " s"
		if strings.HasSuffix(name, "written") || strings.HasSuffix(name, "counted") {
			unit = ""
		} else if strings.HasSuffix(name, "MB") {
			unit = " MB"
		}
		var all []string
		for _, v := range f[name] {
			all = append(all, fmt.Sprintf("%.1f", v))
		}
		fmt.Fprintf(&out, "| %s | %.1f%s | %s |\n", name, f.median(name), unit, strings.Join(all, ", "))
	}
	return out.String()
}

// otherWay gives the two figures about waiting that have no goal, and says why.
func (f figures) otherWay() string {
	if len(f["slow loop"])*len(f["quick loop"])*len(f["slow install"])*len(f["quick install"]) == 0 {
		return ""
	}
	return fmt.Sprintf(`
The other way round: with images of 20 to 45 s the install takes %.2f of the loop's time, and the longest chain alone %.2f of it, for who waits for what the
manifests need cannot be quicker than the chain. With images of 5 s it is ready in %.2f of the chain, for the chain is as short as the applying.
`, f.ratio("slow install", "slow loop"), f.ratio("slow install: longest chain", "slow loop"), f.ratio("quick install: ready", "quick install: longest chain"))
}
