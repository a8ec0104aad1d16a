package main

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// longestChain returns the time in which everything of a plan can be ready if no request took any, and the objects
// along the longest chain, in order. took says how long an object needs from being applied until it is ready.
// It counts the gates and nothing else: only an install that skips a gate can be faster.
func longestChain(objects []plan.Gated, took func(plan.Gated) time.Duration) (time.Duration, []cluster.Ref) {
	c := chain{objects: objects, took: took, at: map[cluster.Ref]int{}, ends: make([]time.Duration, len(objects)), from: make([]int, len(objects)), seen: make([]bool, len(objects))}
	for i, g := range objects {
		c.at[g.Ref().Identity()] = i
	}
	last := -1
	for i := range objects {
		if end := c.visit(i); last < 0 || end > c.ends[last] {
			last = i
		}
	}
	if last < 0 {
		return 0, nil
	}
	var refs []cluster.Ref
	for i := last; i >= 0; i = c.from[i] {
		refs = append(refs, objects[i].Ref())
	}
	slices.Reverse(refs)
	return c.ends[last], refs
}

// A chain finds when each object of a plan can be ready at the earliest.
type chain struct {
	objects []plan.Gated
	took    func(plan.Gated) time.Duration
	at      map[cluster.Ref]int
	ends    []time.Duration
	from    []int // what an object waited for last; -1 for nothing
	seen    []bool
}

// visit returns when an object is ready. No gate leads back to itself: planning has removed those that would.
func (c *chain) visit(i int) time.Duration {
	if c.seen[i] {
		return c.ends[i]
	}
	c.seen[i], c.from[i] = true, -1
	var start time.Duration
	for _, g := range c.objects[i].Gates {
		if opens, by := c.opens(g); opens > start || c.from[i] < 0 && by >= 0 {
			start, c.from[i] = opens, by
		}
	}
	c.ends[i] = start + c.took(c.objects[i])
	return c.ends[i]
}

// opens returns when a gate opens and the object that opens it last; -1 where no object of the plan does. It needs what
// the gate is about, the Service behind it, and the first of the workloads that the Service selects.
func (c *chain) opens(g plan.Gate) (time.Duration, int) {
	at, by := time.Duration(0), -1
	service := c.serviceOf(g)
	for _, ref := range []cluster.Ref{g.On, service} {
		if i, ok := c.at[ref]; ok {
			if end := c.visit(i); by < 0 || end > at {
				at, by = end, i
			}
		}
	}
	first, server := time.Duration(0), -1
	for _, i := range c.selected(service) {
		if end := c.visit(i); server < 0 || end < first {
			first, server = end, i
		}
	}
	if server >= 0 && first >= at {
		return first, server
	}
	return at, by
}

// serviceOf returns the Service that serves a gate's webhook or API; the zero Ref where there is none.
func (c *chain) serviceOf(g plan.Gate) cluster.Ref {
	i, ours := c.at[g.On]
	if g.Kind != plan.APIGate || !ours {
		return g.Service
	}
	api := c.objects[i].Object.Object
	namespace, _, _ := unstructured.NestedString(api, "spec", "service", "namespace")
	name, _, _ := unstructured.NestedString(api, "spec", "service", "name")
	return cluster.Ref{Kind: "Service", Namespace: namespace, Name: name}
}

// selected returns the workloads whose pods a Service selects.
func (c *chain) selected(service cluster.Ref) []int {
	at, ok := c.at[service]
	if !ok {
		return nil
	}
	selector, _, _ := unstructured.NestedStringMap(c.objects[at].Object.Object, "spec", "selector")
	if len(selector) == 0 {
		return nil
	}
	var out []int
	for i, g := range c.objects {
		template, found, _ := unstructured.NestedStringMap(g.Object.Object, "spec", "template", "metadata", "labels")
		if found && g.Object.GetNamespace() == service.Namespace && labels.SelectorFromSet(selector).Matches(labels.Set(template)) {
			out = append(out, i)
		}
	}
	return out
}
