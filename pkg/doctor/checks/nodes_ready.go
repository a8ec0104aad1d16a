package checks

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var nodesReady = &doctor.Check{
	ID:    "nodes/ready",
	Title: "every node is ready",
	Why: "A node that no longer reports keeps its pods' volumes, and what ran there comes to another node only after minutes. While it is away, the databases of Kubeflow, whose disks " +
		"hang on one node, may be away with it.",
	Cure:  "Nothing by itself: a node is AKS's to repair. The finding says what the node reports.",
	Reads: []schema.GroupKind{nodeKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		nodes, err := e.List(ctx, nodeKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var away []*unstructured.Unstructured
		told := false
		for _, n := range nodes {
			c, reported := readyCondition(n)
			told = told || reported
			if reported && text(c, "status") != "True" {
				away = append(away, n)
			}
		}
		if !told {
			return nil, doctor.Skip("no node says whether it is ready")
		}
		if len(away) == 0 {
			return nil, nil
		}
		return []doctor.Finding{judgeAway(away, len(nodes))}, nil
	},
}

func readyCondition(node *unstructured.Unstructured) (map[string]any, bool) {
	for _, c := range items(node.Object, "status", "conditions") {
		if text(c, "type") == "Ready" {
			return c, true
		}
	}
	return nil, false
}

func judgeAway(away []*unstructured.Unstructured, all int) doctor.Finding {
	c, _ := readyCondition(away[0])
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(away[0]), Field: "status.conditions"},
		Message:     fmt.Sprintf("%d of %s %s not ready: %s", len(away), some(all, "node"), be(len(away)), names(away, (*unstructured.Unstructured).GetName)),
		Consequence: "What ran there is away until it comes to another node.",
		Cause:       text(c, "message"),
		Advice:      "AKS repairs a node that stays away for some minutes; see its conditions, or restart it.",
		Command:     "kubectl describe node " + away[0].GetName(),
	}
	if len(away) == all {
		f.Severity, f.Consequence = doctor.Error, "Nothing runs on this cluster."
	}
	return f
}
