package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var LegacyAzure = &doctor.Check{
	ID:    "storage/legacy-azure",
	Title: "PVs do not use removed node labels",
	Why: "Disks from the old in-tree Azure driver select nodes by zone labels (failure-domain.beta.kubernetes.io) that AKS removed from " +
		"nodes in Kubernetes 1.28. A pod with such a disk cannot be scheduled after the upgrade.",
	FixNote: "No automatic fix: a PersistentVolume's node affinity cannot be changed. Create a new volume from a snapshot of the disk.",
	Sources: []string{"https://learn.microsoft.com/azure/aks/csi-migrate-in-tree-volumes"},
	Reads:   []schema.GroupKind{kube.PersistentVolumeKind, kube.NodeKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		volumes, err := e.List(ctx, kube.PersistentVolumeKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
		if err != nil {
			return nil, err
		}
		old := slices.DeleteFunc(slices.Clone(volumes), func(v *unstructured.Unstructured) bool { return !usesOldLabels(v) })
		if len(old) == 0 {
			return nil, nil
		}
		labelled := slices.ContainsFunc(nodes, func(n *unstructured.Unstructured) bool {
			for key := range n.GetLabels() {
				if strings.HasPrefix(key, oldZonePrefix) {
					return true
				}
			}
			return false
		})
		return []doctor.Finding{oldLabelFinding(old, labelled)}, nil
	},
}

const oldZonePrefix = "failure-domain.beta.kubernetes.io/"

func usesOldLabels(volume *unstructured.Unstructured) bool {
	for _, term := range kube.Items(volume.Object, "spec", "nodeAffinity", "required", "nodeSelectorTerms") {
		for _, expression := range kube.Items(term, "matchExpressions") {
			if strings.HasPrefix(kube.Text(expression, "key"), oldZonePrefix) {
				return true
			}
		}
	}
	return false
}

func oldLabelFinding(old []*unstructured.Unstructured, labelled bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(old[0]), Field: "spec.nodeAffinity"},
		Message:     fmt.Sprintf("node affinity of %s uses labels that no node has: %s", text.Plural(len(old), "PersistentVolume"), text.Names(old, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: "Pods that use them cannot be scheduled.",
		Advice:      "Take a snapshot of the disk and create a volume of class managed-csi from it.",
		Command:     "az snapshot create --resource-group GROUP --name SNAPSHOT --source DISK",
	}
	if labelled {
		f.Severity = doctor.Warning
		f.Message = fmt.Sprintf("node affinity of %s uses labels that AKS removes from nodes in Kubernetes 1.28: %s", text.Plural(len(old), "PersistentVolume"), text.Names(old, text.Most, (*unstructured.Unstructured).GetName))
		f.Consequence = "After that upgrade, pods that use them cannot be scheduled."
	}
	return f
}
