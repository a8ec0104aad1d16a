package apply

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// ComesToRest lists the built-in kinds that are not done when they are applied.
var ComesToRest = []string{
	"Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "ReplicationController", "Pod", "Job.batch",
	"APIService.apiregistration.k8s.io",
}

// Watched tells whether an object has to be looked at after it is applied. Volumes are not: they are bound when a pod
// wants them, and that pod's workload is waited for. An Application only repeats what its parts say.
func Watched(o *unstructured.Unstructured) bool {
	kind := o.GroupVersionKind().GroupKind()
	switch {
	case slices.Contains(ComesToRest, kind.String()):
		return true
	case kind.String() == "Service":
		return kube.Text(o.Object, "spec", "type") == "LoadBalancer"
	case kind.String() == "Application.app.k8s.io":
		return false
	}
	return !kube.BuiltIn(kind)
}

// follow starts to look at an object that is applied.
func (e *engine) follow(it *item) {
	kind := it.Object.GroupVersionKind()
	switch {
	case kind.GroupKind() == kube.CustomResourceDefinitionKind:
		if it.Unchanged || explain.Established(it.applied) {
			return
		}
		_, urgent := e.gates[plan.Gate{Kind: plan.KindGate, On: it.Ref().Identity()}]
		e.served.expect(it.Object, urgent)
	case e.options.NoWait:
	case Watched(it.Object):
		e.watches.kind(kind)
	}
}

// see takes in how an object is now. o is nil when that is not known.
func (e *engine) see(i int, o *unstructured.Unstructured) {
	it := e.items[i]
	if o != nil {
		it.live = o
	}
	if it.state != sent {
		return
	}
	switch {
	case it.Object.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind:
		if it.Unchanged || explain.Established(o) {
			e.establish(i)
		} else if !it.ready {
			e.settle(it, e.options.NoWait, "is being established")
		}
	case e.options.NoWait || !Watched(it.Object):
		e.settle(it, true, "")
	case o == nil && it.live == nil:
		e.settle(it, false, "not seen yet")
	case it.live.GetDeletionTimestamp() != nil:
		e.settle(it, false, "is being deleted")
	default:
		ready, why := cluster.Ready(it.live)
		e.settle(it, ready, why)
	}
}

// establish notes that a definition's kind can be used.
func (e *engine) establish(i int) {
	e.settle(e.items[i], true, "")
	e.opened(plan.Gate{Kind: plan.KindGate, On: e.items[i].Ref().Identity()})
}
