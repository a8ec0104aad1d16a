package nodes

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Ready = &doctor.Check{
	ID:    "nodes/ready",
	Title: "All nodes are ready",
	Why: "Volumes stay attached to an unreachable node, and its pods are rescheduled only after minutes. Meanwhile Kubeflow's databases, " +
		"whose disks are attached to one node, may be unavailable.",
	FixNote: "No automatic fix: AKS repairs nodes. The finding shows what the node reports.",
	Reads:   []schema.GroupKind{kube.NodeKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
		if err != nil {
			return nil, err
		}
		var notReady []*unstructured.Unstructured
		reported := false
		for _, n := range nodes {
			c := kube.Condition(n, "Ready")
			reported = reported || c != nil
			if c != nil && c.Status != metav1.ConditionTrue {
				notReady = append(notReady, n)
			}
		}
		if !reported {
			return nil, doctor.Skip("no node reports whether it is ready")
		}
		if len(notReady) == 0 {
			return nil, nil
		}
		return []doctor.Finding{notReadyFinding(notReady, len(nodes))}, nil
	},
}

func notReadyFinding(notReady []*unstructured.Unstructured, all int) doctor.Finding {
	c := kube.Condition(notReady[0], "Ready")
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(notReady[0]), Field: "status.conditions"},
		Message:     fmt.Sprintf("nodes not ready: %d of %d (%s)", len(notReady), all, text.Names(notReady, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: "Its pods are unavailable until rescheduled.",
		Cause:       c.Message,
		Advice:      "AKS repairs a node that stays not ready for some minutes; check its conditions, or restart it.",
		Command:     "kubectl describe node " + escape.Word(notReady[0].GetName()),
	}
	if len(notReady) == all {
		f.Severity, f.Consequence = doctor.Error, "Nothing runs on this cluster."
	}
	return f
}
