package install

import (
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// LongestChain returns the time in which everything of a plan can be ready if no request took any, and the objects
// along which it passes, in order. took says how long an object needs from being applied until it is ready: to pull
// and start for a workload, nothing for most. It counts the gates and nothing else, so nobody can be quicker who does
// not leave a gate out.
func (p *Plan) LongestChain(took func(Gated) time.Duration) (time.Duration, []cluster.Ref) {
	c := chain{plan: p, took: took, ends: make([]time.Duration, len(p.Objects)), from: make([]int, len(p.Objects)), seen: make([]bool, len(p.Objects))}
	last := -1
	for i := range p.Objects {
		if end := c.visit(i); last < 0 || end > c.ends[last] {
			last = i
		}
	}
	if last < 0 {
		return 0, nil
	}
	var refs []cluster.Ref
	for i := last; i >= 0; i = c.from[i] {
		refs = append(refs, p.Objects[i].Ref())
	}
	slices.Reverse(refs)
	return c.ends[last], refs
}

// A chain finds when each object of a plan can be ready at the earliest.
type chain struct {
	plan *Plan
	took func(Gated) time.Duration
	ends []time.Duration
	from []int // what an object waited for last; -1 for nothing
	seen []bool
}

// visit returns when an object is ready. No gate leads back to itself: planning has cut those that would.
func (c *chain) visit(i int) time.Duration {
	if c.seen[i] {
		return c.ends[i]
	}
	c.seen[i], c.from[i] = true, -1
	var start time.Duration
	for _, g := range c.plan.Objects[i].Gates {
		if opens, by := c.opens(g); opens > start || c.from[i] < 0 && by >= 0 {
			start, c.from[i] = opens, by
		}
	}
	c.ends[i] = start + c.took(c.plan.Objects[i])
	return c.ends[i]
}

// opens returns when a gate opens and the object that opens it last; -1 where nothing of the plan does. Of several
// workloads behind a Service the first is enough.
func (c *chain) opens(g Gate) (time.Duration, int) {
	opener := c.plan.openers[keyOf(g)]
	at, by := time.Duration(0), -1
	for _, i := range opener.all {
		if end := c.visit(i); by < 0 || end > at {
			at, by = end, i
		}
	}
	first, server := time.Duration(0), -1
	for _, i := range opener.any {
		if end := c.visit(i); server < 0 || end < first {
			first, server = end, i
		}
	}
	if server >= 0 && first >= at {
		return first, server
	}
	return at, by
}

// An opener is what of a plan has to be ready for a gate to open: all of some objects, and any of some workloads.
type opener struct{ all, any []int }

// openersOf finds what opens the gates of a plan.
func openersOf(gates [][]Gate, needs *needsGraph) map[Gate]opener {
	out := map[Gate]opener{}
	for _, list := range gates {
		for _, g := range list {
			key := keyOf(g)
			if _, known := out[key]; known {
				continue
			}
			var o opener
			if at, ok := needs.at[g.On]; ok {
				o.all = append(o.all, at)
			}
			for _, i := range needs.serving(needs.serviceOf(g)) {
				if podTemplate(needs.all[i].object) != nil {
					o.any = append(o.any, i)
				} else {
					o.all = append(o.all, i)
				}
			}
			out[key] = o
		}
	}
	return out
}
