package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Claims = &doctor.Check{
	ID:    "storage/claims",
	Title: "All PVCs are bound",
	Why: "Databases, the object store and notebooks wait for their volume and do not start without it. Only the PVC's events say why Azure " +
		"does not provision one (a quota, a policy, a missing StorageClass).",
	FixNote: "No automatic fix: the problem is in Azure, or in the PVC. The finding shows the provisioner's response.",
	Reads:   []schema.GroupKind{kube.PersistentVolumeClaimKind, kube.PodKind, kube.NamespaceKind, kube.EventKind, kube.StorageClassKind},
	Reach:   doctor.AlsoOneNamespace,
	Hint:    "The subscription's disk quota and Azure policies determine whether a volume can be provisioned.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		all, err := workloads.KubeflowPVCs(ctx, e)
		if err != nil {
			return nil, err
		}
		waiting := slices.DeleteFunc(all, func(claim *unstructured.Unstructured) bool {
			return kube.Text(claim.Object, "status", "phase") != "Pending"
		})
		if len(waiting) == 0 {
			return nil, nil
		}
		var classes []*unstructured.Unstructured
		if e.Namespace == "" { // users may not read them
			if classes, err = e.List(ctx, kube.StorageClassKind, cluster.Scope{}); err != nil {
				return nil, err
			}
		}
		events, err := e.List(ctx, kube.EventKind, cluster.Scope{Fields: "involvedObject.kind=PersistentVolumeClaim,type=Warning"})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, claim := range waiting {
			findings = append(findings, claimFindings(claim, classes, events, e.Namespace != "")...)
		}
		return findings, nil
	},
}

// claimFindings reports nothing for a PVC that waits for its first consumer, as most classes do.
func claimFindings(claim *unstructured.Unstructured, classes, events []*unstructured.Unstructured, byUser bool) []doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(claim), Field: "status.phase"},
		Consequence: "Pods that use it do not start.",
		Command:     fmt.Sprintf("kubectl describe pvc -n %s %s", escape.Word(claim.GetNamespace()), escape.Word(claim.GetName())),
	}
	class := kube.Text(claim.Object, "spec", "storageClassName")
	known := slices.ContainsFunc(classes, func(o *unstructured.Unstructured) bool { return o.GetName() == class })
	if class != "" && !known && !byUser {
		f.About.Field = "spec.storageClassName"
		f.Message = fmt.Sprintf("%s uses StorageClass %s, which does not exist", kube.KindName(claim), class)
		f.Advice = "Create that StorageClass, or delete the PVC while it is empty and recreate it with one of: " + text.Names(classes, text.Most, (*unstructured.Unstructured).GetName) + "."
		return []doctor.Finding{f}
	}
	for _, event := range events {
		if kube.Text(event.Object, "reason") != "ProvisioningFailed" || kube.Text(event.Object, "involvedObject", "name") != claim.GetName() || event.GetNamespace() != claim.GetNamespace() {
			continue
		}
		f.Message = kube.KindName(claim) + " cannot be provisioned"
		f.Cause, _, _ = strings.Cut(kube.Text(event.Object, "message"), "\n")
		f.Advice = "The PVC's events show the provisioner's response: a quota, a zone or a policy of the subscription."
		if class == "" {
			f.ExplainedBy = "storage/default-class"
		}
		return []doctor.Finding{f}
	}
	return nil
}
