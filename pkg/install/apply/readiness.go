package apply

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// KindsWithReadiness lists the built-in kinds that become ready some time after they are applied.
var KindsWithReadiness = []string{
	"Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "ReplicationController", "Pod", "Job.batch",
	"APIService.apiregistration.k8s.io",
}

// HasReadiness reports whether an install waits for an object to become ready. It does not wait for PVCs, which are bound
// when a pod uses them, nor for an Application, which only repeats the status of its parts.
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

// watch starts to watch an applied object.
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

// observe updates the readiness of an object. o is nil if its live state is not known.
func (e *engine) observe(i int, o *unstructured.Unstructured) {
	it := e.items[i]
	if o != nil && !older(o, it.live) {
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

// older reports whether an object is an earlier version of one that was seen. The watch may deliver what a controller wrote before the
// response to a request arrives, after which no other event comes: the response must not take its place.
func older(o, seen *unstructured.Unstructured) bool {
	if seen == nil {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(o.GetResourceVersion(), seen.GetResourceVersion())
	return err == nil && order < 0
}

// setEstablished marks a CRD ready and opens its gate.
func (e *engine) setEstablished(i int) {
	e.setReady(e.items[i], true, "")
	e.openGate(plan.Gate{Kind: plan.KindGate, On: e.items[i].Ref().Identity()})
}
