package apply

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// begin opens what is open already and starts to look at everything else.
func (e *engine) begin() {
	for _, it := range e.items {
		e.learnKind(it)
		if it.Unchanged {
			it.state = sent
			e.sentOne(it)
			e.result.Unchanged++
		}
	}
	for g, l := range e.gates {
		switch g.Kind {
		case plan.WebhookGate:
			e.watches.endpoints(g.Service)
			e.watches.kind(g.On.GroupVersionKind())
		case plan.APIGate:
			e.watches.kind(kube.APIServiceKind.WithVersion("v1"))
		case plan.NamespaceGate, plan.KindGate:
			if at, ok := e.at[g.On]; ok && e.items[at].Unchanged {
				l.open = true
				e.release(l)
			}
		}
	}
	for i, it := range e.items {
		if it.Unchanged {
			e.follow(it)
			e.see(i, nil)
		}
	}
}

// learnKind takes a kind from its definition, so that no discovery is needed to write its objects.
func (e *engine) learnKind(it *item) {
	if it.Object.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind {
		e.client.Learn(it.Object)
	}
}

// opened opens a gate, if anybody waits for it, and lets through who waited for nothing else.
func (e *engine) opened(g plan.Gate) {
	l := e.gates[g]
	if l == nil || l.open {
		return
	}
	l.open = true
	e.release(l)
}

func (e *engine) release(l *waiters) {
	for _, i := range l.waiters {
		e.items[i].closed--
		e.items[i].because, e.items[i].waitsSince = "", time.Now()
	}
}

// knock opens the webhook gates that an object of the cluster decides about.
func (e *engine) knock(o *unstructured.Unstructured) {
	ref := cluster.RefOf(o).Identity()
	switch ref.GroupKind() {
	case kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.CustomResourceDefinitionKind:
		for g, l := range e.gates {
			if g.Kind == plan.WebhookGate && g.On == ref && l.service && e.injected(g) {
				e.opened(g)
			}
		}
	case kube.APIServiceKind:
		if ready, _ := cluster.Ready(o); ready {
			e.opened(plan.Gate{Kind: plan.APIGate, On: ref})
		}
	}
}

// answering notes that a Service has, or has lost, a ready endpoint.
func (e *engine) answering(service cluster.Ref, ready bool) {
	for g, l := range e.gates {
		if g.Kind != plan.WebhookGate || g.Service != service {
			continue
		}
		l.service = ready
		if ready && e.injected(g) {
			e.opened(g)
		}
	}
}

// injected tells whether every webhook of a configuration that this Service answers has its caBundle.
func (e *engine) injected(g plan.Gate) bool {
	o := e.watches.seen[g.On]
	if o == nil {
		return false
	}
	for _, client := range explain.ClientsOf(o) {
		if explain.AsksService(client, g.Service) && kube.Text(client, "caBundle") == "" {
			return false
		}
	}
	return true
}
