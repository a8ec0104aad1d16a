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
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A waitCheck finds the cause for one object that waits for a gate, for a failing webhook, or to become ready.
type waitCheck struct {
	i        int
	ref      cluster.Ref
	gate     plan.Gate
	foreign  bool // the gate is a webhook outside the plan
	webhooks []plan.Gate
	live     *unstructured.Unstructured
}

// A waitResult is the result of a waitCheck.
type waitResult struct {
	why           string
	webhooksReady bool   // the webhooks that match it have ready endpoints
	noBackend     bool   // the gate's webhook has no workload, or only ones scaled to zero
	ignorable     bool   // the API server ignores failures of that webhook
	namesTaken    bool   // another CRD has the names of its kind
	rejects       string // the server's message, when it rejects the workload's pods for good
}

// waitCheckFor returns the check for an object that waits.
func (e *engine) waitCheckFor(i int, it *item) (waitCheck, bool) {
	q := waitCheck{i: i, ref: it.Ref()}
	if g, gated := e.closedGate(it); gated {
		_, ours := e.at[g.On]
		q.gate, q.foreign = g, !ours && g.Key().Kind == plan.WebhookGate
		return q, true
	}
	if it.state != sent {
		for _, g := range it.Gates {
			if g.Kind == plan.WebhookGate || g.Kind == plan.ConversionGate {
				q.webhooks = append(q.webhooks, g)
			}
		}
		return q, it.failures.repeats >= sameErrorLimit && len(q.webhooks) > 0
	}
	q.live = it.live
	return q, it.live != nil && !e.options.NoWait
}

func (q waitCheck) run(ctx context.Context, view cluster.View) waitResult {
	switch {
	case q.gate != (plan.Gate{}):
		f := waitResult{why: "waits for " + explain.Gate(ctx, view, q.gate)}
		if q.foreign {
			f.noBackend, f.ignorable = explain.NoBackend(ctx, view, q.gate)
		}
		return f
	case len(q.webhooks) > 0:
		for _, g := range q.webhooks {
			if on, err := view.Get(ctx, g.On); err != nil {
				return waitResult{}
			} else if why := explain.Webhook(ctx, view, on, g); why != "" {
				return waitResult{why: "waits for " + explain.WebhookName(on, g) + ": " + why}
			}
		}
		return waitResult{webhooksReady: true}
	case q.ref.GroupKind() == kube.CustomResourceDefinitionKind:
		live, err := view.Get(ctx, q.ref)
		if err != nil {
			return waitResult{}
		}
		names := kube.Condition(live, "NamesAccepted")
		return waitResult{why: explain.Object(ctx, view, live), namesTaken: names != nil && names.Status == metav1.ConditionFalse && names.Reason != "Installing"}
	}
	return waitResult{why: explain.Object(ctx, view, q.live), rejects: explain.Rejected(ctx, view, q.live)}
}

// handleResult records the cause, and ends the run if the object can never succeed.
func (e *engine) handleResult(q waitCheck, f waitResult) {
	it := e.items[q.i]
	it.cause, it.failures.webhooksReady = f.why, f.webhooksReady
	e.stopOnRejection(it, f.rejects)
	switch {
	case f.namesTaken && it.blockedSince.IsZero(), f.noBackend && it.blockedSince.IsZero():
		it.blockedSince = time.Now()
	case f.namesTaken:
		e.failed = &problem.Error{What: fmt.Sprintf("%s cannot be used: %s", q.ref, f.why),
			Next: "Another CRD has these names: find it with kubectl get crd, then delete it or leave out this component with --skip, then run the same command again"}
	case f.noBackend && time.Since(it.blockedSince) > foreignWebhookTimeout && f.ignorable:
		e.openGate(q.gate.Key())
	case f.noBackend && time.Since(it.blockedSince) > foreignWebhookTimeout:
		e.failed = &problem.Error{What: fmt.Sprintf("%s cannot be applied: it %s", q.ref, f.why),
			Next: fmt.Sprintf("Restore the workload behind this webhook, or delete it if it is no longer used (kubectl delete %s), then run the same command again", plan.KubectlArgs(q.gate.On))}
	case !f.noBackend:
		it.blockedSince = time.Time{}
	}
}

// foreignWebhookTimeout is how long a webhook outside the plan may be without a workload.
const foreignWebhookTimeout = 15 * time.Second
