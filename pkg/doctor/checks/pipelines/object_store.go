package pipelines

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var ObjectStore = &doctor.Check{
	ID:    "pipelines/object-store",
	Title: "Workflow object store exists",
	Why: "Pipeline steps write their outputs to the object store configured in ConfigMap workflow-controller-configmap: minio-service up to " +
		"Kubeflow 1.11, seaweedfs from 26.03 on. After an upgrade the ConfigMap may still name the removed store, and every step then " +
		"fails when it saves its outputs.",
	FixNote: "No automatic fix: the data of older runs may have to be migrated first. Then set the endpoint to the existing Service.",
	Sources: []string{"kubeflow/manifests#3472"},
	Reads:   []schema.GroupKind{kube.ConfigMapKind, kube.ServiceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		config, err := e.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: workloads.Namespace, Name: "workflow-controller-configmap"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("there is no workflow controller in namespace %s", workloads.Namespace)
		}
		if err != nil {
			return nil, err
		}
		field, host := storeOf(config)
		name, namespace, inside := serviceOf(host)
		if !inside {
			return nil, doctor.Skip("the object store is outside the cluster, or not configured")
		}
		services, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: namespace})
		if err != nil || slices.ContainsFunc(services, func(s *unstructured.Unstructured) bool { return s.GetName() == name }) {
			return nil, err
		}
		return []doctor.Finding{storeFinding(config, field, host, services)}, nil
	},
}

// endpointLine matches the store's address in the setting's YAML, block or flow style.
var endpointLine = regexp.MustCompile(`\bendpoint:\s*["']?([^\s"',}]+)`)

// storeOf returns the address of the object store, and the field that has it.
func storeOf(config *unstructured.Unstructured) (field, host string) {
	for _, key := range []string{"config", "artifactRepository"} {
		if m := endpointLine.FindStringSubmatch(kube.Text(config.Object, "data", key)); m != nil {
			return "data." + key, m[1]
		}
	}
	return "", ""
}

// serviceOf returns the Service of a host inside the cluster: "minio-service.kubeflow:9000", with or without the cluster's domain.
func serviceOf(host string) (name, namespace string, inside bool) {
	host, _, _ = strings.Cut(host, ":")
	labels := strings.Split(host, ".")
	switch {
	case host == "" || strings.ContainsAny(host, "$("):
		return "", "", false
	case len(labels) == 1:
		return labels[0], workloads.Namespace, true
	case len(labels) == 2 && labels[1] == workloads.Namespace, len(labels) > 2 && labels[2] == "svc":
		return labels[0], labels[1], true
	}
	return "", "", false
}

func storeFinding(config *unstructured.Unstructured, field, host string, services []*unstructured.Unstructured) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(config), Field: field},
		Message:     fmt.Sprintf("object store endpoint %s has no Service", host),
		Consequence: "Every pipeline step fails when it saves its outputs.",
		Advice:      "Restore the object store, or set the endpoint to the existing one.",
		Command:     "kubectl edit configmap -n " + workloads.Namespace + " " + escape.Word(config.GetName()),
	}
	for _, s := range services {
		if s.GetName() == "seaweedfs" || s.GetName() == "minio-service" {
			f.Cause = "Service " + s.GetName() + " is the existing object store."
		}
	}
	return f
}
