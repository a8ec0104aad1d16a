package checks

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A nodeRoom is a node and what its pods leave free.
type nodeRoom struct {
	node        corev1.Node
	cpu, memory int64 // thousandths of a CPU, bytes
	slots       int64 // pods
}

// A podNeed is what a pod asks of a node.
type podNeed struct{ cpu, memory int64 }

// rooms returns the nodes that say how big they are, with what is free on each.
func rooms(ctx context.Context, e doctor.Exam) ([]nodeRoom, error) {
	nodes, err := e.List(ctx, nodeKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	pods, err := everyPod(ctx, e)
	if err != nil {
		return nil, err
	}
	var list []nodeRoom
	at := map[string]int{}
	for _, o := range nodes {
		var r nodeRoom
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
		return nil, doctor.Skip("no nodes that say how big they are")
	}
	for _, pod := range pods {
		i, known := at[text(pod.Object, "spec", "nodeName")]
		if !known {
			continue
		}
		spec, err := podSpec(pod, "spec")
		if err != nil {
			return nil, err
		}
		need := needOf(spec)
		list[i].cpu -= need.cpu
		list[i].memory -= need.memory
		list[i].slots--
	}
	return list, nil
}

// needOf adds up what a pod requests: its containers together, or the largest of those that run before them.
func needOf(spec corev1.PodSpec) podNeed {
	var sum, first podNeed
	for _, c := range spec.Containers {
		sum = sum.plus(c.Resources.Requests)
	}
	var beside podNeed
	for _, c := range spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			beside = beside.plus(c.Resources.Requests)
			continue
		}
		this := beside.plus(c.Resources.Requests)
		first = podNeed{max(first.cpu, this.cpu), max(first.memory, this.memory)}
	}
	sum = podNeed{sum.cpu + beside.cpu, sum.memory + beside.memory}
	return podNeed{max(sum.cpu, first.cpu), max(sum.memory, first.memory)}.plus(spec.Overhead)
}

func (n podNeed) plus(list corev1.ResourceList) podNeed {
	return podNeed{n.cpu + list.Cpu().MilliValue(), n.memory + list.Memory().Value()}
}

// String is "2.5 CPU and 6.7Gi".
func (n podNeed) String() string {
	cpu := resource.NewMilliQuantity(max(n.cpu, 0), resource.DecimalSI).AsApproximateFloat64()
	return trimZero(cpu) + " CPU and " + trimZero(float64(max(n.memory, 0))/(1<<30)) + "Gi"
}

// refusal says why a node takes none of these pods, whatever is free on it; "" when it takes them.
func (r nodeRoom) refusal(spec corev1.PodSpec) string {
	if r.node.Spec.Unschedulable {
		return "cordoned"
	}
	if !ready(r.node) {
		return "not ready"
	}
	for _, taint := range r.node.Spec.Taints {
		if taint.Effect != corev1.TaintEffectPreferNoSchedule && !slices.ContainsFunc(spec.Tolerations, func(t corev1.Toleration) bool { return tolerates(t, taint) }) {
			return "taint " + taint.ToString()
		}
	}
	if !labels.SelectorFromSet(spec.NodeSelector).Matches(labels.Set(r.node.Labels)) || !attracted(spec.Affinity, r.node) {
		return "not one that the pods ask for by its labels"
	}
	return ""
}

func tolerates(t corev1.Toleration, taint corev1.Taint) bool {
	if t.Effect != "" && t.Effect != taint.Effect || t.Key != "" && t.Key != taint.Key {
		return false
	}
	return t.Operator == corev1.TolerationOpExists || t.Key != "" && t.Value == taint.Value
}

func ready(node corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return true // nobody has said otherwise
}

// attracted tells whether a node has the labels that a required node affinity names.
func attracted(a *corev1.Affinity, node corev1.Node) bool {
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return true
	}
	terms := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	return slices.ContainsFunc(terms, func(term corev1.NodeSelectorTerm) bool {
		return !slices.ContainsFunc(term.MatchExpressions, func(x corev1.NodeSelectorRequirement) bool {
			wanted, err := labels.NewRequirement(x.Key, operators[x.Operator], x.Values)
			return err != nil || !wanted.Matches(labels.Set(node.Labels))
		})
	})
}

var operators = map[corev1.NodeSelectorOperator]selection.Operator{
	corev1.NodeSelectorOpIn: selection.In, corev1.NodeSelectorOpNotIn: selection.NotIn, corev1.NodeSelectorOpExists: selection.Exists,
	corev1.NodeSelectorOpDoesNotExist: selection.DoesNotExist, corev1.NodeSelectorOpGt: selection.GreaterThan, corev1.NodeSelectorOpLt: selection.LessThan,
}

// taking returns the nodes that take these pods, as far as taints and labels go.
func taking(all []nodeRoom, spec corev1.PodSpec) []nodeRoom {
	return slices.DeleteFunc(slices.Clone(all), func(r nodeRoom) bool { return r.refusal(spec) != "" })
}

// grows tells whether the cluster makes nodes when pods find none: AKS's cluster autoscaler or node auto-provisioning.
func grows(ctx context.Context, e doctor.Exam) (bool, error) {
	status, err := e.List(ctx, configMapKind, cluster.Scope{Namespace: "kube-system", Fields: "metadata.name=cluster-autoscaler-status"})
	if err != nil {
		return false, err
	}
	pools, err := listIfKnown(ctx, e, nodePoolKind, cluster.Scope{})
	return len(status)+len(pools) > 0, err
}

// inCommon joins the reasons of several nodes, each once.
func inCommon(reasons []string) string {
	slices.Sort(reasons)
	return strings.Join(slices.Compact(reasons), ", ")
}

func nodeRef(n corev1.Node) cluster.Ref {
	return cluster.Ref{APIVersion: "v1", Kind: "Node", Name: n.Name}
}
