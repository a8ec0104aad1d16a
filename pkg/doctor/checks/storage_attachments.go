package checks

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var attachments = &doctor.Check{
	ID:    "storage/attachments",
	Title: "every disk comes to the node of its pod",
	Why: "An Azure disk hangs on one node, in one zone. A pod that comes up elsewhere, beside another that holds the disk, on a node that holds as many as it can, or in another zone, waits for it " +
		"without end.",
	Cure:    "Nothing by itself: taking a disk from a node that still writes to it loses data.",
	Sources: []string{"Azure/AKS#477", "Azure/AKS#884"},
	Reads:   []schema.GroupKind{eventKind, podKind, namespaceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		pods, err := ownPods(ctx, e)
		if err != nil {
			return nil, err
		}
		waiting := map[string]*unstructured.Unstructured{}
		for _, p := range pods {
			if text(p.Object, "status", "phase") == "Pending" {
				waiting[p.GetNamespace()+"/"+p.GetName()] = p
			}
		}
		if len(waiting) == 0 {
			return nil, nil
		}
		events, err := e.List(ctx, eventKind, cluster.Scope{Fields: "involvedObject.kind=Pod,type=Warning"})
		if err != nil {
			return nil, err
		}
		return judgeAttachments(waiting, events), nil
	},
}

// attachTroubles are what events say about disks, and what helps.
var attachTroubles = []struct{ sign, message, advice string }{
	{"Multi-Attach", "the disk of pod %s hangs on another node", "Stop the other pod that uses it: two notebooks cannot share an Azure disk. If its node is gone, AKS lets the disk go after some minutes."},
	{"volume node affinity conflict", "the disk of pod %s is in a zone where no node takes it", "Add nodes in the zone of the disk, or a class that makes disks for all zones."},
	{"exceed max volume count", "the nodes hold as many disks as they can, and pod %s needs one more", "Add nodes, or take a larger VM size: how many disks a node holds goes by it."},
}

// judgeAttachments says one thing of each pod that waits, by its last word.
func judgeAttachments(waiting map[string]*unstructured.Unstructured, events []*unstructured.Unstructured) []doctor.Finding {
	var findings []doctor.Finding
	for _, event := range events {
		key := event.GetNamespace() + "/" + text(event.Object, "involvedObject", "name")
		pod := waiting[key]
		if pod == nil {
			continue
		}
		for _, trouble := range attachTroubles {
			if !strings.Contains(text(event.Object, "message"), trouble.sign) {
				continue
			}
			delete(waiting, key)
			findings = append(findings, doctor.Finding{
				Severity:    doctor.Error,
				About:       doctor.Subject{Ref: cluster.RefOf(pod)},
				Message:     fmt.Sprintf(trouble.message, pod.GetName()),
				Consequence: "It does not start.",
				Advice:      trouble.advice,
				Command:     fmt.Sprintf("kubectl describe pod -n %s %s", pod.GetNamespace(), pod.GetName()),
			})
			break
		}
	}
	return findings
}
