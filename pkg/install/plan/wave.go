package plan

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Waves returns the indices of the plan's objects in waves, for programs that apply one wave, wait until all of it is ready, and
// then apply the next. The gates of an object are opened by earlier waves; what it needs to become ready is in its own wave or
// in an earlier one. There are as many waves as the longest chain of gates has objects.
func (p *Plan) Waves() [][]int {
	wave := make([]int, len(p.order.after))
	chains := p.order.withoutCycles()
	for _, ring := range stronglyConnected(chains.joined()) { // what others wait for comes first
		first := 0
		for _, i := range ring {
			for _, at := range chains.after[i] {
				first = max(first, wave[at]+1)
			}
			for _, at := range chains.with[i] {
				first = max(first, wave[at])
			}
		}
		for _, i := range ring {
			wave[i] = first
		}
	}
	p.delay(wave)
	var waves [][]int
	for i, n := range wave {
		for len(waves) <= n {
			waves = append(waves, nil)
		}
		waves[n] = append(waves[n], i)
	}
	return waves
}

// delay moves objects that are not ready on their own to those that they wait for. Workloads that nothing in the plan needs may
// need each other in ways that manifests do not tell, such as a server and its database, so they are in the last wave. A
// PersistentVolumeClaim is bound only when a pod uses it.
func (p *Plan) delay(wave []int) {
	last := 0
	for _, n := range wave {
		last = max(last, n)
	}
	users := p.order.users()
	for i, g := range p.Objects {
		if PodTemplate(g.Object) != nil && len(users[i]) == 0 {
			wave[i] = last
		}
	}
	for i, g := range p.Objects {
		switch g.Object.GetKind() {
		case "PersistentVolumeClaim":
			wave[i] = last
			for _, user := range users[i] {
				wave[i] = min(wave[i], wave[user])
			}
		case "HorizontalPodAutoscaler":
			for _, target := range p.order.with[i] {
				wave[i] = max(wave[i], wave[target])
			}
		}
	}
}

// An order says, by index, for which objects each object of a plan waits.
type order struct {
	after  [][]int // they open its gates
	with   [][]int // it becomes ready together with them, or after them
	behind [][]int // the servers of a webhook configuration: with them ready before it exists, it fails no request
}

// order returns what the objects wait for, after cycles were broken.
func (p *planner) order() order {
	n := len(p.all)
	o := order{after: make([][]int, n), with: make([][]int, n), behind: make([][]int, n)}
	for i, w := range p.all {
		o.with[i] = slices.Clone(p.needs.edges[i])
		for _, g := range p.gates[i] {
			if g.Kind == NamespaceGate || g.Kind == KindGate {
				o.after[i] = append(o.after[i], p.needs.at[g.On])
				continue
			}
			o.after[i] = append(o.after[i], p.openers[g.Key()]...)
		}
		switch {
		case IsWebhookConfiguration(w.object):
			for _, hook := range Webhooks(w.object) {
				o.behind[i] = append(o.behind[i], without(p.openersOf(hook.Gate.Key()), i)...)
			}
		case w.ref.GroupKind() == kube.APIServiceKind:
			o.with[i] = append(o.with[i], without(p.openersOf(Gate{Kind: APIGate, On: w.ref}), i)...)
		case w.ref.Kind == "HorizontalPodAutoscaler":
			o.with[i] = append(o.with[i], p.scaled(w)...)
		}
	}
	return o
}

// scaled returns the workload that an autoscaler scales: without it, the autoscaler reports a failure.
func (p *planner) scaled(w *desired) []int {
	target := cluster.Ref{APIVersion: kube.Text(w.object.Object, "spec", "scaleTargetRef", "apiVersion"), Kind: kube.Text(w.object.Object, "spec", "scaleTargetRef", "kind"),
		Namespace: w.object.GetNamespace(), Name: kube.Text(w.object.Object, "spec", "scaleTargetRef", "name")}
	if at, ok := p.needs.at[target.Identity()]; ok {
		return []int{at}
	}
	return nil
}

func without(list []int, i int) []int {
	return slices.DeleteFunc(list, func(at int) bool { return at == i })
}

// withoutCycles returns an order in which nothing waits for itself: a webhook configuration comes after its servers only where
// these do not wait for it.
func (o order) withoutCycles() order {
	out := order{after: slices.Clone(o.after), with: o.with}
	all := order{after: make([][]int, len(o.after)), with: o.with}
	for i := range o.after {
		all.after[i] = slices.Concat(o.after[i], o.behind[i])
	}
	for _, ring := range stronglyConnected(all.joined()) {
		for _, i := range ring {
			out.after[i] = slices.Concat(o.after[i], slices.DeleteFunc(slices.Clone(o.behind[i]), func(at int) bool { return slices.Contains(ring, at) }))
		}
	}
	return out
}

// joined returns everything that each object waits for.
func (o order) joined() [][]int {
	edges := make([][]int, len(o.after))
	for i := range edges {
		edges[i] = slices.Concat(o.after[i], o.with[i])
	}
	return edges
}

// users returns the objects that wait for each object.
func (o order) users() [][]int {
	users := make([][]int, len(o.after))
	for i := range o.after {
		for _, at := range slices.Concat(o.after[i], o.with[i], o.behind[i]) {
			users[at] = append(users[at], i)
		}
	}
	return users
}
