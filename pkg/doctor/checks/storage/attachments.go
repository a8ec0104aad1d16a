package storage

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Attachments = &doctor.Check{
	ID:    "storage/attachments",
	Title: "Volumes can attach to their pod's node",
	Why: "An Azure disk is attached to one node, in one zone. A pod waits indefinitely if it is scheduled to another zone, if another node " +
		"still holds the disk, or if its node has no free disk slots.",
	FixNote: "No automatic fix: detaching a disk from a node that still writes to it loses data.",
	Sources: []string{"Azure/AKS#477", "Azure/AKS#884"},
	Reads:   []schema.GroupKind{kube.EventKind, kube.PodKind, kube.NamespaceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		pods, err := workloads.KubeflowPods(ctx, e)
		if err != nil {
			return nil, err
		}
		waiting := map[string]*unstructured.Unstructured{}
		for _, p := range pods {
			if kube.Text(p.Object, "status", "phase") == "Pending" {
				waiting[p.GetNamespace()+"/"+p.GetName()] = p
			}
		}
		if len(waiting) == 0 {
			return nil, nil
		}
		events, err := e.List(ctx, kube.EventKind, cluster.Scope{Fields: "involvedObject.kind=Pod,type=Warning"})
		if err != nil {
			return nil, err
		}
		return attachmentFindings(waiting, events), nil
	},
}

// attachErrors map the text of an event to a message and advice.
var attachErrors = []struct{ sign, message, advice string }{
	{"Multi-Attach", "%s cannot attach its volume: the disk is attached to another node", "Stop the other pod that uses it: two notebooks cannot share an Azure disk. If its node is gone, AKS detaches the disk after some minutes."},
	{"volume node affinity conflict", "%s cannot attach its volume: no schedulable node in the disk's zone", "Add nodes in the disk's zone, or use a StorageClass with zone-redundant disks."},
	{"maximum number of data disks", "%s cannot attach its volume: the node's VM size allows no more disks", "Use a larger VM size, which allows more disks, or add nodes: the other disks of the node stay where they are."},
	{"exceed max volume count", "%s cannot attach its volume: the nodes have no free disk slots", "Add nodes, or use a larger VM size, which allows more disks per node."},
}

// attachmentFindings returns one finding per pending pod, by its latest event.
func attachmentFindings(waiting map[string]*unstructured.Unstructured, events []*unstructured.Unstructured) []doctor.Finding {
	var findings []doctor.Finding
	for _, event := range events {
		key := event.GetNamespace() + "/" + kube.Text(event.Object, "involvedObject", "name")
		pod := waiting[key]
		if pod == nil {
			continue
		}
		for _, trouble := range attachErrors {
			if !strings.Contains(kube.Text(event.Object, "message"), trouble.sign) {
				continue
			}
			delete(waiting, key)
			findings = append(findings, doctor.Finding{
				Severity:    doctor.Error,
				About:       doctor.Subject{Ref: cluster.RefOf(pod)},
				Message:     fmt.Sprintf(trouble.message, kube.KindName(pod)),
				Consequence: "It does not start.",
				Advice:      trouble.advice,
				Command:     fmt.Sprintf("kubectl describe pod -n %s %s", escape.Word(pod.GetNamespace()), escape.Word(pod.GetName())),
			})
			break
		}
	}
	return findings
}
