package plan

import "slices"

// breakCycles finds objects that would wait for each other, and removes the webhook gates among them. A Namespace or a CRD
// never waits for its contents, so a cycle always contains a webhook or an aggregated API.
func (p *planner) breakCycles() {
	for _, ring := range stronglyConnected(p.dependencies()) {
		if len(ring) < 2 {
			continue
		}
		slices.Sort(ring)
		cycle := Cycle{}
		for _, i := range ring {
			cycle.Objects = append(cycle.Objects, p.all[i].ref)
			p.gates[i] = slices.DeleteFunc(p.gates[i], func(g Gate) bool {
				within := slices.ContainsFunc(p.openers[g.Key()], func(at int) bool { return slices.Contains(ring, at) })
				if within && !slices.Contains(cycle.Cut, g) {
					cycle.Cut = append(cycle.Cut, g)
				}
				return within
			})
		}
		if len(cycle.Cut) > 0 {
			p.cycles = append(p.cycles, cycle)
		}
	}
}

// dependencies returns, for each object, the objects that must be ready first: those that open its gates, and those it uses.
func (p *planner) dependencies() [][]int {
	out := make([][]int, len(p.all))
	for i := range p.all {
		out[i] = slices.Clone(p.needs.edges[i])
		for _, g := range p.gates[i] {
			if g.Kind != NamespaceGate && g.Kind != KindGate {
				out[i] = append(out[i], p.openers[g.Key()]...)
			}
		}
	}
	return out
}

// stronglyConnected returns the strongly connected components of a graph (Tarjan).
func stronglyConnected(edges [][]int) [][]int {
	t := &tarjan{edges: edges, number: make([]int, len(edges)), low: make([]int, len(edges)), on: make([]bool, len(edges))}
	for i := range edges {
		if t.number[i] == 0 {
			t.visit(i)
		}
	}
	return t.found
}

type tarjan struct {
	edges       [][]int
	number, low []int // 0 is unvisited
	on          []bool
	stack       []int
	next        int
	found       [][]int
}

func (t *tarjan) visit(i int) {
	t.next++
	t.number[i], t.low[i] = t.next, t.next
	t.stack, t.on[i] = append(t.stack, i), true
	for _, j := range t.edges[i] {
		if t.number[j] == 0 {
			t.visit(j)
			t.low[i] = min(t.low[i], t.low[j])
		} else if t.on[j] {
			t.low[i] = min(t.low[i], t.number[j])
		}
	}
	if t.low[i] != t.number[i] {
		return
	}
	at := slices.Index(t.stack, i)
	ring := slices.Clone(t.stack[at:])
	t.stack = t.stack[:at]
	for _, j := range ring {
		t.on[j] = false
	}
	t.found = append(t.found, ring)
}
