package apply

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// A question is about one object that waits: for a gate, for a webhook that fails, or to become ready.
type question struct {
	i       int
	ref     cluster.Ref
	gate    plan.Gate
	foreign bool // the gate is somebody else's webhook
	hooks   []plan.Gate
	live    *unstructured.Unstructured
}

// A finding is what a look at one object found.
type finding struct {
	why     string
	answers bool // the webhooks that are asked about it are up
	nobody  bool // nothing is behind its gate, and nothing is on its way
	ignored bool // and the API server goes on without the gate's webhook
	taken   bool // the names of its kind belong to another
}

// questionOf returns what there is to ask about an object that waits.
func (e *engine) questionOf(i int, it *item) (question, bool) {
	q := question{i: i, ref: it.Ref()}
	if g, gated := e.closedGate(it); gated {
		_, ours := e.at[g.On]
		q.gate, q.foreign = g, !ours && plan.KeyOf(g).Kind == plan.WebhookGate
		return q, true
	}
	if it.state != sent {
		for _, g := range it.Gates {
			if g.Kind == plan.WebhookGate || g.Kind == plan.ConversionGate {
				q.hooks = append(q.hooks, g)
			}
		}
		return q, it.failures.same >= often && len(q.hooks) > 0
	}
	q.live = it.live
	return q, it.live != nil && !e.options.NoWait
}

func (q question) answer(ctx context.Context, view cluster.View) finding {
	switch {
	case q.gate != (plan.Gate{}):
		f := finding{why: "waits for " + explain.WhyClosed(ctx, view, q.gate)}
		if q.foreign {
			f.nobody, f.ignored = explain.Deserted(ctx, view, q.gate)
		}
		return f
	case len(q.hooks) > 0:
		for _, g := range q.hooks {
			if on, err := view.Get(ctx, g.On); err != nil {
				return finding{}
			} else if why := explain.WhyHook(ctx, view, on, g); why != "" {
				return finding{why: "waits for " + explain.HookName(on, g) + ": " + why}
			}
		}
		return finding{answers: true}
	case q.ref.GroupKind() == kube.CustomResourceDefinitionKind:
		live, err := view.Get(ctx, q.ref)
		if err != nil {
			return finding{}
		}
		names := kube.Condition(live, "NamesAccepted")
		return finding{why: explain.Object(ctx, view, live), taken: names != nil && names.Status == metav1.ConditionFalse && names.Reason != "Installing"}
	}
	return finding{why: explain.Object(ctx, view, q.live)}
}

// learn takes in what was found, and ends what cannot succeed.
func (e *engine) learn(q question, f finding) {
	it := e.items[q.i]
	it.because, it.failures.known = f.why, f.answers
	switch {
	case f.taken && it.doomed.IsZero(), f.nobody && it.doomed.IsZero():
		it.doomed = time.Now()
	case f.taken:
		e.failed = &cluster.Problem{What: fmt.Sprintf("%s cannot be used: %s", q.ref, f.why),
			Next: "Another definition has these names: find it with kubectl get crd, take it away or leave this component out with --skip, then run the same command again"}
	case f.nobody && time.Since(it.doomed) > patienceWithOthers && f.ignored:
		e.opened(plan.KeyOf(q.gate))
	case f.nobody && time.Since(it.doomed) > patienceWithOthers:
		e.failed = &cluster.Problem{What: fmt.Sprintf("%s cannot be applied: it %s", q.ref, f.why),
			Next: fmt.Sprintf("Bring back what serves this webhook, or take it away if it is a left-over (kubectl delete %s), then run the same command again", plan.Target(q.gate.On))}
	case !f.nobody:
		it.doomed = time.Time{}
	}
}

// patienceWithOthers is how long nothing may be behind a webhook that is not part of the plan.
const patienceWithOthers = 15 * time.Second
