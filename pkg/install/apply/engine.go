package apply

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// An engine carries one plan out. Everything it knows belongs to one goroutine, which hears facts, starts requests
// and is the only one to change anything here.
type engine struct {
	client      *cluster.Client
	options     Options
	result      *Result
	items       []*item
	at          map[cluster.Ref]int
	gates       map[plan.Gate]*gateState
	stages      []*stage
	watches     *watches
	served      *servedKinds
	updates     chan update
	inFlight    int // requests under way
	remaining   int // objects not ready, or with NoWait not applied
	unapplied   int // objects not applied
	started     time.Time
	checker     *waitChecker
	crashes     map[cluster.Ref]int // how often what is left had crashed when everything else was ready
	stuck       bool                // the remaining objects do not become ready, however long one waits
	failed      error
	lastSuccess time.Time // when the server last took an object
}

// An item is one object on its way.
type item struct {
	plan.Gated
	stage        *stage
	closedGates  int // gates that are not open yet
	state        state
	tries        int
	since        time.Time // of the first try
	ready        bool
	why          string    // it waits
	cause        string    // what is behind that, where somebody looked
	waitingSince time.Time // for what it waits for now
	live         *unstructured.Unstructured
	applied      *unstructured.Unstructured // as the server answered
	rank         int
	failures     failures
	blockedSince time.Time // since when it looks as if it never could
	sentAt       time.Time
}

type state int

const (
	waiting state = iota // for its gates, or to be sent again
	sending
	sent
)

// gateState are a gate and who waits for it.
type gateState struct {
	open    bool
	waiting []int
	service bool // the Service has a ready endpoint
}

// A update is something the engine learns.
type update interface{ tell(e *engine) }

func newEngine(client *cluster.Client, p *plan.Plan, o Options) *engine {
	e := &engine{
		client: client, options: o, result: &Result{}, at: map[cluster.Ref]int{}, gates: map[plan.Gate]*gateState{},
		updates: make(chan update), started: time.Now(),
	}
	for i, g := range p.Objects {
		it := &item{Gated: g, stage: e.stageNamed(g.Stage), waitingSince: e.started}
		it.stage.tally.Total++
		e.items = append(e.items, it)
		e.at[g.Ref().Identity()] = i
	}
	for i, it := range e.items {
		for _, g := range it.Gates {
			e.addGate(i, g)
		}
	}
	for _, it := range e.items {
		_, awaited := e.gates[plan.Gate{Kind: plan.KindGate, On: it.Ref().Identity()}]
		it.rank = rank(it.Gated, awaited)
	}
	e.remaining, e.unapplied = len(e.items), len(e.items)
	e.watches, e.served = newWatches(client, e.updates), newServedKinds(client, e.updates)
	e.checker = &waitChecker{client: client, updates: e.updates}
	return e
}

// addGate makes an object wait for a gate. What needs no request waits for nothing.
func (e *engine) addGate(i int, g plan.Gate) {
	if e.items[i].Unchanged {
		return
	}
	g = g.Key()
	if e.gates[g] == nil {
		e.gates[g] = &gateState{}
	}
	if !slices.Contains(e.gates[g].waiting, i) {
		e.gates[g].waiting = append(e.gates[g].waiting, i)
		e.items[i].closedGates++
	}
}

// rank orders what can be sent at the same time. First comes what a webhook's program needs to run: its images are
// pulled while the server establishes the definitions that others wait for. Then what pods need, then the pods.
// Definitions that nobody waits for come among the workloads, for they keep a server busy; webhooks and aggregated
// APIs come last, for until their program answers they can only be in the way.
func rank(g plan.Gated, awaited bool) int {
	switch {
	case g.Object.GroupVersionKind().GroupKind() == kube.NamespaceKind:
		return 0
	case plan.IsWebhookConfiguration(g.Object), g.Ref().GroupKind() == kube.APIServiceKind:
		return 5
	case g.OpensGate:
		return 1
	case awaited:
		return 2
	case slices.Contains([]string{"ServiceAccount", "Secret", "ConfigMap", "Service", "PersistentVolumeClaim", "Certificate", "Issuer", "ClusterIssuer"}, g.Object.GetKind()):
		return 3
	case plan.PodTemplate(g.Object) != nil, g.Object.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind:
		return 4
	}
	return 5
}

// run does it, until everything is ready, something cannot succeed, or the deadline comes.
func (e *engine) run(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	defer e.drain()
	defer cancel()
	e.watches.ctx, e.served.ctx, e.checker.ctx = inner, inner, inner
	e.startWatches()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for e.remaining > 0 && e.failed == nil {
		e.dispatch(inner)
		select {
		case f := <-e.updates:
			f.tell(e)
		case <-tick.C:
			e.checkWaits()
			e.reportWaiting()
		case <-ctx.Done():
			return e.interrupted(ctx)
		}
		if e.stuck {
			return e.unfinished(ctx, true)
		}
	}
	e.result.ReadyTook = time.Since(e.started)
	return e.failed
}

// drain hears out the requests that are under way, so that none is left behind.
func (e *engine) drain() {
	done := make(chan struct{})
	go func() {
		e.watches.running.Wait()
		e.served.running.Wait()
		e.checker.running.Wait()
		close(done)
	}()
	for {
		select {
		case f := <-e.updates:
			if a, ok := f.(appliedUpdate); ok {
				e.inFlight--
				if a.err == nil {
					e.items[a.i].applied = a.o
				}
			}
		case <-done:
			if e.inFlight == 0 {
				return
			}
			done = nil
		}
		if e.inFlight == 0 && done == nil {
			return
		}
	}
}

// dispatch sends what can be sent, as much at once as is allowed.
func (e *engine) dispatch(ctx context.Context) {
	for e.inFlight < e.options.Parallel {
		next := -1
		for i, it := range e.items {
			if it.state == waiting && it.closedGates == 0 && (next < 0 || it.rank < e.items[next].rank) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		e.send(ctx, next)
	}
}

// entry is what the inventory says of an object after this run.
func (e *engine) entry(g plan.Gated, recorded inventory.Entry) inventory.Entry {
	it := e.items[e.at[g.Ref().Identity()]]
	switch {
	case it.Unchanged:
		return recorded
	case it.applied == nil:
		return inventory.Entry{}
	case it.applied.GetResourceVersion() == it.Version && recorded.Applied == it.Digest && recorded.Fields != "":
		return recorded // nothing was written: others own what they own, as before
	}
	return inventory.Entry{Applied: it.Digest, Fields: plan.OwnedFieldsHash(it.applied)}
}
