package apply

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// startWatches opens the gates that unchanged objects open and watches everything else.
func (e *engine) startWatches() {
	for _, it := range e.items {
		e.registerKind(it)
		if it.Unchanged {
			it.state = sent
			e.countApplied(it)
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
				e.releaseWaiting(l)
			}
		}
	}
	for i, it := range e.items {
		if it.Unchanged {
			e.watch(it)
			e.observe(i, nil)
		}
	}
}

// registerKind adds the kind of a CRD to the client, so that applying its objects needs no discovery.
func (e *engine) registerKind(it *item) {
	if it.Object.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind {
		e.client.Learn(it.Object)
	}
}

// openGate opens a gate and releases the objects that wait for it.
func (e *engine) openGate(g plan.Gate) {
	l := e.gates[g]
	if l == nil || l.open {
		return
	}
	l.open = true
	e.releaseWaiting(l)
}

func (e *engine) releaseWaiting(l *gateState) {
	for _, i := range l.waiting {
		e.items[i].closedGates--
		e.items[i].cause, e.items[i].waitingSince = "", time.Now()
	}
}

// openWebhookGates opens the gates that an object on the cluster decides about.
func (e *engine) openWebhookGates(o *unstructured.Unstructured) {
	ref := cluster.RefOf(o).Identity()
	switch ref.GroupKind() {
	case kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.CustomResourceDefinitionKind:
		for g, l := range e.gates {
			if g.Kind == plan.WebhookGate && g.On == ref && l.service && e.injected(g) {
				e.openGate(g)
			}
		}
	case kube.APIServiceKind:
		if ready, _ := cluster.Ready(o); ready {
			e.openGate(plan.Gate{Kind: plan.APIGate, On: ref})
		}
	}
}

// endpointsChanged records whether a Service has a ready endpoint.
func (e *engine) endpointsChanged(service cluster.Ref, ready bool) {
	for g, l := range e.gates {
		if g.Kind != plan.WebhookGate || g.Service != service {
			continue
		}
		l.service = ready
		if ready && e.injected(g) {
			e.openGate(g)
		}
	}
}

// injected reports whether every webhook of a configuration that uses the gate's Service has a caBundle.
func (e *engine) injected(g plan.Gate) bool {
	o := e.watches.seen[g.On]
	if o == nil {
		return false
	}
	for _, client := range explain.ClientConfigs(o) {
		if explain.CallsService(client, g.Service) && kube.Text(client, "caBundle") == "" {
			return false
		}
	}
	return true
}
