package nodes

import (
	"context"
	"math"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	resourcehelper "k8s.io/component-helpers/resource"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// A nodeHeadroom is a node and its unreserved resources.
type nodeHeadroom struct {
	node        corev1.Node
	cpu, memory int64 // thousandths of a CPU, bytes
	slots       int64 // pods
}

// podRequests are the resources that a pod requests.
type podRequests struct{ cpu, memory int64 }

// headroom returns the nodes that report their capacity, with the resources that are free on each.
func headroom(ctx context.Context, e doctor.Exam) ([]nodeHeadroom, error) {
	nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
	if err != nil {
		return nil, err
	}
	pods, err := workloads.AllPods(ctx, e)
	if err != nil {
		return nil, err
	}
	var list []nodeHeadroom
	at := map[string]int{}
	for _, o := range nodes {
		var r nodeHeadroom
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &r.node); err != nil {
			return nil, err
		}
		size := r.node.Status.Allocatable
		if len(size) == 0 {
			continue
		}
		r.cpu, r.memory, r.slots = size.Cpu().MilliValue(), size.Memory().Value(), size.Pods().Value()
		at[o.GetName()] = len(list)
		list = append(list, r)
	}
	if len(list) == 0 {
		return nil, doctor.Skip("no node reports its capacity")
	}
	for _, pod := range pods {
		i, known := at[kube.Text(pod.Object, "spec", "nodeName")]
		if !known {
			continue
		}
		spec, err := workloads.PodSpec(pod, "spec")
		if err != nil {
			return nil, err
		}
		need := requestsOf(spec)
		list[i].cpu -= need.cpu
		list[i].memory -= need.memory
		list[i].slots--
	}
	return list, nil
}

// requestsOf returns what the scheduler reserves for a pod.
func requestsOf(spec corev1.PodSpec) podRequests {
	requests := resourcehelper.PodRequests(&corev1.Pod{Spec: spec}, resourcehelper.PodResourcesOptions{})
	return podRequests{requests.Cpu().MilliValue(), requests.Memory().Value()}
}

// String is "2.5 CPU and 6.7Gi".
func (n podRequests) String() string {
	cpu := resource.NewMilliQuantity(max(n.cpu, 0), resource.DecimalSI).AsApproximateFloat64()
	return oneDecimal(cpu) + " CPU and " + oneDecimal(float64(max(n.memory, 0))/(1<<30)) + "Gi"
}

// rejectReason returns why these pods cannot be scheduled on a node, apart from its free resources; "" if they can.
func (r nodeHeadroom) rejectReason(spec corev1.PodSpec) string {
	if r.node.Spec.Unschedulable {
		return cordonedReason
	}
	if !isReady(r.node) {
		return notReadyReason
	}
	keepsOut := func(t *corev1.Taint) bool {
		return t.Effect != corev1.TaintEffectPreferNoSchedule && t.Key != corev1.TaintNodeUnschedulable // that of a cordoned node follows the field
	}
	if taint, found := scheduling.FindMatchingUntoleratedTaint(klog.Background(), r.node.Spec.Taints, spec.Tolerations, keepsOut, true); found {
		return taintReason + taint.ToString()
	}
	if match, err := nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, spec.Affinity).Match(&r.node); err != nil || !match {
		return affinityReason
	}
	return ""
}

func isReady(node corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return true // a node without the condition counts as ready
}

// acceptingNodes returns the nodes whose taints and labels allow these pods.
func acceptingNodes(all []nodeHeadroom, spec corev1.PodSpec) []nodeHeadroom {
	return slices.DeleteFunc(slices.Clone(all), func(r nodeHeadroom) bool { return r.rejectReason(spec) != "" })
}

// autoscales reports whether the cluster adds nodes for pending pods: cluster autoscaler or node auto-provisioning.
func autoscales(ctx context.Context, e doctor.Exam) (bool, error) {
	status, err := e.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: "kube-system", Fields: "metadata.name=cluster-autoscaler-status"})
	if err != nil {
		return false, err
	}
	pools, err := workloads.ListIfKnown(ctx, e, nodePoolKind, cluster.Scope{})
	return len(status)+len(pools) > 0, err
}

func nodeRef(n corev1.Node) cluster.Ref {
	return cluster.Ref{APIVersion: "v1", Kind: "Node", Name: n.Name}
}

var nodePoolKind = schema.GroupKind{Group: "karpenter.sh", Kind: "NodePool"}

// oneDecimal formats a number with at most one decimal place: "2.5", "8".
func oneDecimal(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }
