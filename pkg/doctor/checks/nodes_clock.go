package checks

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var leaseKind = schema.GroupKind{Group: "coordination.k8s.io", Kind: "Lease"}

// mostSkew is how far clocks may differ: tokens and certificates are forgiven less than that.
const mostSkew = time.Minute

var nodesClock = &doctor.Check{
	ID:    "nodes/clock",
	Title: "the nodes' clocks go with the API server's",
	Why: "Tokens and certificates hold from one moment to another. On a node whose clock is wrong they are not valid yet or not any more, and sign-in and mutual TLS fail there, now and then, " +
		"without a word about clocks.",
	Cure:  "Nothing by itself: a node with a wrong clock is AKS's to repair, or to be replaced.",
	Reads: []schema.GroupKind{nodeKind, leaseKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		leases, err := e.List(ctx, leaseKind, cluster.Scope{Namespace: "kube-node-lease"})
		if err != nil {
			return nil, err
		}
		if len(leases) == 0 {
			return nil, doctor.Skip("no node says what time it has")
		}
		nodes, err := e.List(ctx, nodeKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		now, err := e.Now(ctx)
		if err != nil {
			return nil, err
		}
		renewed := map[string]time.Time{}
		for _, l := range leases {
			if at, err := time.Parse(time.RFC3339Nano, text(l.Object, "spec", "renewTime")); err == nil {
				renewed[l.GetName()] = at
			}
		}
		var wrong []*unstructured.Unstructured
		for _, node := range nodes {
			at, known := renewed[node.GetName()]
			c, reported := readyCondition(node)
			alive := reported && text(c, "status") == "True" // the server goes by when the lease changes, not by what stands in it
			if known && (at.After(now.Add(mostSkew)) || alive && at.Before(now.Add(-mostSkew))) {
				wrong = append(wrong, node)
			}
		}
		if len(wrong) == 0 {
			return nil, nil
		}
		off := renewed[wrong[0].GetName()].Sub(now).Round(time.Second)
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(wrong[0])},
			Message:     fmt.Sprintf("%s a wrong clock: %s", some(len(wrong), "node")+" "+have(len(wrong)), names(wrong, (*unstructured.Unstructured).GetName)),
			Consequence: "Tokens and certificates are not valid yet there, or not any more.",
			Cause:       fmt.Sprintf("%s is %s against the API server.", wrong[0].GetName(), ahead(off)),
			Advice:      "Replace the node: AKS sets the clock of a new one.",
			Command:     "kubectl drain --ignore-daemonsets --delete-emptydir-data " + wrong[0].GetName(),
		}}, nil
	},
}

func ahead(by time.Duration) string {
	if by < 0 {
		return (-by).String() + " behind"
	}
	return by.String() + " ahead"
}
