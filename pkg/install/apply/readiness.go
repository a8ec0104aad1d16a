package apply

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// KindsWithReadiness lists the built-in kinds that are not done when they are applied.
var KindsWithReadiness = []string{
	"Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "ReplicationController", "Pod", "Job.batch",
	"APIService.apiregistration.k8s.io",
}

// HasReadiness tells whether an object has to be looked at after it is applied. Volumes are not: they are bound when a pod
// wants them, and that pod's workload is waited for. An Application only repeats what its parts say.
func HasReadiness(o *unstructured.Unstructured) bool {
	kind := o.GroupVersionKind().GroupKind()
	switch {
	case slices.Contains(KindsWithReadiness, kind.String()):
		return true
	case kind.String() == "Service":
		return kube.Text(o.Object, "spec", "type") == "LoadBalancer"
	case kind.String() == "Application.app.k8s.io":
		return false
	}
	return !kube.BuiltIn(kind)
}

// watch starts to look at an object that is applied.
func (e *engine) watch(it *item) {
	kind := it.Object.GroupVersionKind()
	switch {
	case kind.GroupKind() == kube.CustomResourceDefinitionKind:
		if it.Unchanged || explain.Established(it.applied) {
			return
		}
		_, urgent := e.gates[plan.Gate{Kind: plan.KindGate, On: it.Ref().Identity()}]
		e.served.expect(it.Object, urgent)
	case e.options.NoWait:
	case HasReadiness(it.Object):
		e.watches.kind(kind)
	}
}

// observe takes in how an object is now. o is nil when that is not known.
func (e *engine) observe(i int, o *unstructured.Unstructured) {
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
			e.setEstablished(i)
		} else if !it.ready {
			e.setReady(it, e.options.NoWait, "is being established")
		}
	case e.options.NoWait || !HasReadiness(it.Object):
		e.setReady(it, true, "")
	case o == nil && it.live == nil:
		e.setReady(it, false, "not seen yet")
	case it.live.GetDeletionTimestamp() != nil:
		e.setReady(it, false, "is being deleted")
	default:
		ready, why := cluster.Ready(it.live)
		e.setReady(it, ready, why)
	}
}

// setEstablished notes that a definition's kind can be used.
func (e *engine) setEstablished(i int) {
	e.setReady(e.items[i], true, "")
	e.openGate(plan.Gate{Kind: plan.KindGate, On: e.items[i].Ref().Identity()})
}
