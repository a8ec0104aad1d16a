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

// An engine runs one plan. All its state belongs to one goroutine, which handles updates and starts requests.
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
	crashes     map[cluster.Ref]int // restarts of the remaining workloads when everything else was ready
	stuck       bool                // the remaining workloads will not become ready
	failed      error
	lastSuccess time.Time // when the server last accepted an object
}

// An item is one object of the plan and its progress.
type item struct {
	plan.Gated
	stage        *stage
	closedGates  int // gates that are not open yet
	state        state
	tries        int
	since        time.Time // of the first try
	ready        bool
	why          string    // it waits
	cause        string    // the cause, if a check found it
	waitingSince time.Time // for what it waits for now
	live         *unstructured.Unstructured
	applied      *unstructured.Unstructured // as the server returned it
	rank         int
	failures     failures
	blockedSince time.Time // since when it seems that it can never succeed
	rejected     bool      // the server rejects the pods of this workload
	rejectedFrom time.Time // since when nothing else is waited for that could change this
	sentAt       time.Time
}

type state int

const (
	waiting state = iota // for its gates, or to be sent again
	sending
	sent
)

// A gateState is a gate's state and the items that wait for it.
type gateState struct {
	open    bool
	waiting []int
	service bool // the Service has a ready endpoint
}

// An update is a result of a request, a watch or a check. The engine's goroutine handles it.
type update interface{ handle(e *engine) }

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

// addGate makes an object wait for a gate. An unchanged object waits for none.
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

// rank orders the objects that can be applied at the same time. First come the dependencies of webhook servers: their images
// are pulled while CRDs are being established. Then what pods need, then the pods. CRDs without waiting objects come with the
// workloads, because they are costly for the server. Webhooks and aggregated APIs come last, because they can only fail
// requests until their servers are ready.
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

// run applies and waits until everything is ready, something cannot succeed, or the deadline passes.
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
			f.handle(e)
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

// drain waits for the requests and watches that are still running.
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

// dispatch applies the objects whose gates are open, up to the limit of concurrent requests.
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

// entry returns the hashes for the inventory after this run.
func (e *engine) entry(g plan.Gated, recorded inventory.Entry) inventory.Entry {
	it := e.items[e.at[g.Ref().Identity()]]
	switch {
	case it.Unchanged:
		return recorded
	case it.applied == nil:
		return inventory.Entry{}
	case it.applied.GetResourceVersion() == it.Version && recorded.Applied == it.Digest && recorded.Fields != "":
		return recorded // nothing was changed, and field ownership is as before
	}
	return inventory.Entry{Applied: it.Digest, Fields: plan.OwnedFieldsHash(it.applied), Owned: plan.OwnedFields(it.applied)}
}
