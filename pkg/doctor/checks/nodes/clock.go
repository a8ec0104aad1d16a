package nodes

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// maxSkew is the largest difference that is ignored: tokens and certificates tolerate less.
const maxSkew = time.Minute

var Clock = &doctor.Check{
	ID:    "nodes/clock",
	Title: "Node clocks are in sync",
	Why: "Tokens and certificates are valid for a limited time. On a node with a wrong clock they are not yet valid or already expired, so " +
		"authentication and mutual TLS fail there intermittently, with no hint that the clock is the reason.",
	FixNote: "No automatic fix: AKS repairs a node with a wrong clock, or you replace it.",
	Reads:   []schema.GroupKind{kube.NodeKind, kube.LeaseKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		leases, err := e.List(ctx, kube.LeaseKind, cluster.Scope{Namespace: "kube-node-lease"})
		if err != nil {
			return nil, err
		}
		if len(leases) == 0 {
			return nil, doctor.Skip("no node reports its time")
		}
		nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
		if err != nil {
			return nil, err
		}
		now, err := e.Now(ctx)
		if err != nil {
			return nil, err
		}
		renewed := map[string]time.Time{}
		for _, l := range leases {
			if at, err := time.Parse(time.RFC3339Nano, kube.Text(l.Object, "spec", "renewTime")); err == nil {
				renewed[l.GetName()] = at
			}
		}
		var wrong []*unstructured.Unstructured
		for _, node := range nodes {
			at, known := renewed[node.GetName()]
			alive := kube.IsTrue(node, "Ready") // the node controller uses the time of the update, not the lease's content
			if known && (at.After(now.Add(maxSkew)) || alive && at.Before(now.Add(-maxSkew))) {
				wrong = append(wrong, node)
			}
		}
		if len(wrong) == 0 {
			return nil, nil
		}
		cause, off := "Node %s is %s ahead of the API server.", renewed[wrong[0].GetName()].Sub(now).Round(time.Second)
		if off < 0 {
			cause, off = "Node %s is %s behind the API server.", -off
		}
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(wrong[0])},
			Message:     fmt.Sprintf("clock is out of sync on %s: %s", text.Plural(len(wrong), "node"), text.Names(wrong, text.Most, (*unstructured.Unstructured).GetName)),
			Consequence: "Tokens and certificates are not yet valid there, or already expired.",
			Cause:       fmt.Sprintf(cause, wrong[0].GetName(), off),
			Advice:      "Replace the node: a new node gets the correct time.",
			Command:     "kubectl drain --ignore-daemonsets --delete-emptydir-data " + escape.Word(wrong[0].GetName()),
		}}, nil
	},
}
